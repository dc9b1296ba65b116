/** JSON that came from outside, before a schema has seen it. Pure. */

export type Json = Readonly<Record<string, unknown>>;

/** Something with fields; a list has them, too. */
export const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null;

/** null: it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
