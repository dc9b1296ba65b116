/** What a form action tells its page. Pure. */
export interface FormReport {
  readonly tone: "good" | "warn" | "bad";
  readonly message: string;
  /** What the reader can do about it. */
  readonly hint: string | null;
  /** What is wrong with a field, by its name. */
  readonly problems: Readonly<Record<string, string>>;
  /** What was entered, to fill the form again; never holds secrets. */
  readonly values: Readonly<Record<string, string>>;
}
