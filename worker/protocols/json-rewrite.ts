/** Changes top-level fields of a JSON object and keeps the bytes of all others. Pure. */
import { concat } from "./bytes.ts";
import { topLevelFields } from "./json-fields.ts";

const encoder = new TextEncoder();

/** Given to `withFields` for a field that must not be there. */
export const ABSENT = Symbol("absent");

/** The object with these fields set or taken away; the very same bytes where nothing had to change. */
export function withFields(body: Uint8Array, changes: Readonly<Record<string, unknown>>): Uint8Array {
  const fields = topLevelFields(body);
  const isNeeded = Object.entries(changes).some(([name, value]) => {
    const range = fields.get(name);
    if (range === undefined) return value !== ABSENT;
    return value === ABSENT || textAt(body, range.start, range.end) !== JSON.stringify(value);
  });
  if (!isNeeded) return body;
  const parts: Uint8Array[] = [];
  const add = (name: string, value: Uint8Array) => {
    const lead = `${parts.length === 0 ? "{" : ","}${JSON.stringify(name)}:`;
    parts.push(encoder.encode(lead), value);
  };
  for (const [name, { start, end }] of fields)
    if (!Object.hasOwn(changes, name)) add(name, body.subarray(start, end));
  for (const [name, value] of Object.entries(changes))
    if (value !== ABSENT) add(name, encoder.encode(JSON.stringify(value)));
  parts.push(encoder.encode(parts.length === 0 ? "{}" : "}"));
  return concat(parts);
}

const textAt = (body: Uint8Array, start: number, end: number) =>
  new TextDecoder().decode(body.subarray(start, end));
