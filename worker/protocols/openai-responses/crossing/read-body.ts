/** Reads JSON that a client sent into a form of ours, or says which field is wrong. Pure. */
import type { z } from "zod";
import { RelayError } from "../../../domain/errors.ts";

const decoder = new TextDecoder();

export const invalid = (message: string): RelayError => new RelayError("invalid_request", message);

export function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body));
  } catch (cause) {
    throw new RelayError("invalid_request", "The request body is not valid JSON.", { cause });
  }
}

/** @param place where the value stands, as a client would write it: `input[3]`; empty for the body itself */
export function readAs<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place = "",
): z.output<Schema> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const field = fieldName(place, issue?.path ?? []) || "body";
  const reason = (issue?.message ?? "").replace(/^Invalid input(?:: )?/, "");
  throw invalid(`Invalid value for '${field}'${reason === "" ? "" : `: ${reason}`}.`);
}

const fieldName = (place: string, path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (name, step) =>
      typeof step === "number"
        ? `${name}[${String(step)}]`
        : `${name}${name === "" ? "" : "."}${String(step)}`,
    place,
  );
