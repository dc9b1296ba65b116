/** How the parts of a form come to what they show. Pure. */

type Texts = Readonly<Record<string, string>>;

interface FieldState<Name extends string> {
  readonly name: Name;
  readonly value: string;
  readonly problem: string | undefined;
}

/** One field of the form, ready to be spread into its component. */
export type FieldAt<Name extends string> = (name: Name) => FieldState<Name>;

export const fieldsOf =
  <Name extends string>(values: Texts, problems: Texts): FieldAt<Name> =>
  (name) => ({ name, value: values[name] ?? "", problem: problems[name] });

/** Whether a group must be seen: one of its fields is wrong, or says something other than an untouched form. */
export type IsOpen<Name extends string> = (...names: readonly Name[]) => boolean;

export const openWhen =
  <Name extends string>(at: FieldAt<Name>, blank: Texts): IsOpen<Name> =>
  (...names) =>
    names.map(at).some(({ name, value, problem }) => value !== blank[name] || problem !== undefined);
