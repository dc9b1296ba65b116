/** Where the parts of a generate request lie in a body, bare or inside the envelope of Code Assist. Pure. */
import { topLevelFields, type FieldRange } from "../json-fields.ts";

export type Fields = ReadonlyMap<string, FieldRange>;

/** The fields of an object inside the body. @throws RelayError `invalid_request` when it is none */
export function fieldsAt(body: Uint8Array, { start, end }: FieldRange): Fields {
  const fields = topLevelFields(body.subarray(start, end));
  return new Map(
    [...fields].map(([name, range]) => [name, { start: start + range.start, end: start + range.end }]),
  );
}

/** Google reads every field in two spellings (protobuf's JSON mapping): `systemInstruction`, `system_instruction`. */
export function fieldOf(fields: Fields, name: string): FieldRange | undefined {
  return fields.get(name) ?? fields.get(name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

/** The request itself, whichever of its three forms the body has. */
export function requestFields(body: Uint8Array): Fields {
  const fields = topLevelFields(body);
  const inner = fields.get("request") ?? fieldOf(fields, "generateContentRequest");
  return inner === undefined ? fields : fieldsAt(body, inner);
}
