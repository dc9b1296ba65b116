/** Makes a value that satisfies a simple JSON schema. Pure. */
import { isRecord, textOf, type JsonRecord } from "./record.ts";

/** Deep enough for any tool of the clients; stops a schema that contains itself. */
const DEPTH_MAX = 6;

/** Values for properties with these names, when the schema allows their type. */
export type Wishes = Readonly<Record<string, string>>;

export function sampleObject(schema: JsonRecord, wishes: Wishes = {}, depth = 0): JsonRecord {
  const properties = isRecord(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const wanted = Object.keys(properties).filter((name) => required.includes(name) || name in wishes);
  return Object.fromEntries(wanted.map((name) => [name, sample(properties[name], name, wishes, depth)]));
}

function sample(schema: unknown, name: string, wishes: Wishes, depth: number): unknown {
  if (!isRecord(schema) || depth > DEPTH_MAX) return wishes[name] ?? `fake ${name}`;
  if ("const" in schema) return schema["const"];
  if (Array.isArray(schema["enum"])) return schema["enum"][0];
  const alternatives = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(alternatives)) return sample(alternatives[0], name, wishes, depth + 1);
  const named: unknown = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  // Google writes them in capitals.
  const type = textOf(named).toLowerCase();
  if (type === "object") return sampleObject(schema, {}, depth + 1);
  if (type === "array") return sampleList(schema["items"], name, wishes, depth);
  if (type === "integer" || type === "number") return schema["minimum"] ?? 1;
  if (type === "boolean") return false;
  if (type === "null") return null;
  return wishes[name] ?? `fake ${name}`;
}

/** A list of strings under a wished name is an argument vector. */
function sampleList(items: unknown, name: string, wishes: Wishes, depth: number): readonly unknown[] {
  const wish = wishes[name];
  if (wish !== undefined) return ["bash", "-lc", wish];
  return [sample(items, name, {}, depth + 1)];
}
