/** Reads what people type into forms. Pure. */

/** A form's text field as it was typed; empty when it is missing or a file. */
export function typedIn(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

/** A form's text field without the blanks around it. */
export const textOf = (form: FormData, name: string): string => typedIn(form, name).trim();

/** A number, or undefined when nothing was entered; text that is no number becomes NaN and fails the schema. */
export function numberOf(form: FormData, name: string): number | undefined {
  const text = textOf(form, name);
  return text === "" ? undefined : Number(text);
}

/** Entries divided by commas or line breaks. */
export function listOf(form: FormData, name: string): string[] {
  return textOf(form, name)
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** All that the form says by one name, as text: a box that is not checked says nothing. */
const allOf = (form: FormData, name: string): string[] =>
  form.getAll(name).map((value) => (typeof value === "string" ? value.trim() : ""));

/** Entries, one a line or one a checked box, or undefined when the form has no such field. */
export function linesOf(form: FormData, name: string): string[] | undefined {
  if (!form.has(name)) return undefined;
  const lines = allOf(form, name).flatMap((text) => text.split("\n"));
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}

/** What a box says when it is checked. */
export const CHECKED = "on";

export const isChecked = (form: FormData, name: string): boolean => textOf(form, name) === CHECKED;

/** Where each box says its name, checked or not: a box that is not checked would else look like one not there. */
export const BOXES = "boxes";

/** The form has this field, whatever it says: a page that was open before an update lacks what is new. */
export const isShown = (form: FormData, name: string): boolean =>
  form.has(name) || form.getAll(BOXES).includes(name);

/** The entered values of the named fields, to fill the form again. Never name a secret here. */
export function echoOf(form: FormData, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, allOf(form, name).join("\n")]));
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** An entry of a list, or a part of a whole, is a problem of the field that it was entered in. */
const fieldOf = (path: string): string => path.split(".")[0] ?? "";

/** The first problem of each field, by the field's form name; paths are dotted. */
export function problemsOf(issues: readonly Issue[], formName: (path: string) => string = fieldOf) {
  const problems: Record<string, string> = {};
  for (const issue of issues) problems[formName(issue.path.map(String).join("."))] ??= issue.message;
  return problems;
}
