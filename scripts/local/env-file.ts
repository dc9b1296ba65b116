/** Text of `NAME=value` files, as Node's and wrangler's readers understand them. Pure. */

/** No escapes exist inside quotes, so the value decides which quotes can hold it. */
export function quote(value: string): string {
  const mark = ["'", '"', "`"].find((candidate) => !value.includes(candidate));
  if (mark === undefined || value.includes("\n"))
    throw new Error("a value cannot hold a line break or all three quotes");
  // Inside double quotes a backslash followed by n would become a line break.
  if (mark === '"' && value.includes("\\n")) return `\`${value}\``;
  return /^[\w.:+/=,-]*$/.test(value) ? value : `${mark}${value}${mark}`;
}

/** Sets a variable: replaces its line where it has one, adds one at the end otherwise. */
export function withVariable(text: string, name: string, value: string): string {
  const line = `${name}=${quote(value)}`;
  const present = new RegExp(`^${name}=.*$`, "m");
  if (present.test(text)) return text.replace(present, () => line);
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`;
}

/** A file for wrangler's `--env-file`, whose reader expands `$NAME` even between quotes unless it is escaped. */
export function envFileForWrangler(variables: Readonly<Record<string, string>>): string {
  const lines = Object.entries(variables).map(
    ([name, value]) => `${name}=${quote(value.replaceAll("$", "\\$"))}\n`,
  );
  return lines.join("");
}
