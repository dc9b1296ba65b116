/** The parts that Gemini's contents are made of, as they are written. Pure. */
import type { JsonObject } from "../../neutral.ts";
import { isObject } from "../usage.ts";

export interface Blob {
  readonly mimeType: string;
  readonly data: string;
}

export interface WrittenPart {
  readonly text?: string;
  readonly thought?: true;
  readonly thoughtSignature?: string;
  readonly inlineData?: Blob;
  readonly fileData?: { readonly mimeType?: string; readonly fileUri: string };
  readonly functionCall?: { readonly id: string; readonly name: string; readonly args: JsonObject };
  readonly functionResponse?: { readonly id: string; readonly name: string; readonly response: JsonObject };
}

/** The arguments of a call as the object they must be here. What is no JSON is kept, so that no call loses its own. */
export function argsOf(text: string): JsonObject {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : { _raw: text };
  } catch {
    return { _raw: text };
  }
}

/** The way back. No model nests so deep that this fails; an upstream that does so says nothing. */
export function argsText(args: JsonObject | undefined): string {
  try {
    return JSON.stringify(args ?? {});
  } catch {
    return "{}";
  }
}
