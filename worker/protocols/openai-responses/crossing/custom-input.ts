/**
 * Takes the string `input` out of a call's arguments while they arrive: once it has begun, its text is given on
 * piece by piece. Pure.
 */
import { INPUT } from "./client-tools.ts";

export interface InputReading {
  /** `before` the string's text, inside the `text`, or after it. */
  readonly at: "before" | "text" | "after";
  /** All of the arguments so far; then, inside the text, an escape whose end has not come. */
  readonly held: string;
}

export const INPUT_START: InputReading = { at: "before", held: "" };

/** What has not begun with the text by then does not: it is not searched again with every piece. */
const OPENING_LENGTH_MAX = 100;
const OPENING = new RegExp(`^\\s*\\{\\s*"${INPUT}"\\s*:\\s*"`);

/** @returns the next state, and the text that this piece brought */
export function readInput({ at, held }: InputReading, piece: string): readonly [InputReading, string] {
  const rest = held + piece;
  if (at === "after") return [{ at, held }, ""];
  if (at === "text") return readText(rest);
  const opening = held.length > OPENING_LENGTH_MAX ? undefined : OPENING.exec(rest)?.[0];
  return opening === undefined ? [{ at, held: rest }, ""] : readText(rest.slice(opening.length));
}

/** What is left when the arguments are whole: all of the text, if they did not begin with it. */
export function lastInput({ at, held }: InputReading): string {
  if (at !== "before") return "";
  try {
    const value: unknown = JSON.parse(held);
    const input =
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[INPUT] : null;
    return typeof input === "string" ? input : held;
  } catch {
    return held;
  }
}

/** Half of a surrogate pair waits for the other: alone it is no character, and strict clients refuse it. */
const TOKEN =
  /[^"\\]+|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[^u]/y;
const PAIR_LENGTH = 12;
const MAY_BE_PAIR = /^\\u(?:[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u[0-9a-fA-F]{0,3})?)?)?$/;
const MAY_BE_ESCAPE = /^\\(?:u[0-9a-fA-F]{0,3})?$/;
const LONE_SURROGATE = /^\\u[dD][89a-fA-F]..$/;
const REPLACEMENT = "\ufffd";

function readText(rest: string): readonly [InputReading, string] {
  let [text, from] = ["", 0];
  while (from < rest.length) {
    if (rest[from] === '"') return [{ at: "after", held: "" }, text];
    const ahead = rest.slice(from, from + PAIR_LENGTH);
    if (isUnfinished(ahead)) return [{ at: "text", held: ahead }, text];
    TOKEN.lastIndex = from;
    const token = TOKEN.exec(rest)?.[0] ?? "\\";
    text += plainText(token);
    from += token.length;
  }
  return [{ at: "text", held: "" }, text];
}

const isUnfinished = (ahead: string): boolean => MAY_BE_ESCAPE.test(ahead) || MAY_BE_PAIR.test(ahead);

function plainText(token: string): string {
  if (!token.startsWith("\\")) return token;
  if (LONE_SURROGATE.test(token)) return REPLACEMENT;
  try {
    return String(JSON.parse(`"${token}"`));
  } catch {
    return token.slice(1);
  }
}
