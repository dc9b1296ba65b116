/** How the parts of a key's form come to what they show. Pure. */
import type { KeyName } from "$lib/key-form";

type Texts = Readonly<Record<string, string>>;

interface FieldState {
  readonly name: KeyName;
  readonly value: string;
  readonly problem: string | undefined;
}

/** One field of the form, ready to be spread into its component. */
export type FieldAt = (name: KeyName) => FieldState;

export const fieldsOf =
  (values: Texts, problems: Texts): FieldAt =>
  (name) => ({ name, value: values[name] ?? "", problem: problems[name] });

/** Whether a group must be seen: one of its fields is wrong, or says something other than the form of a new key. */
export type IsOpen = (...names: readonly KeyName[]) => boolean;

export const openWhen =
  (at: FieldAt, blank: Texts): IsOpen =>
  (...names) =>
    names.map(at).some(({ name, value, problem }) => value !== blank[name] || problem !== undefined);
