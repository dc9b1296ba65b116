/** JSON Schema out of Gemini's own form, which is OpenAPI's: `{type: "STRING", nullable: true}`. Pure. */
import type { JsonObject } from "../../neutral.ts";
import { protoFields } from "./proto-fields.ts";
import { isObject } from "../usage.ts";

/** No schema that a model could follow nests deeper. */
const DEPTH_MAX = 64;

/** Numbers that protobuf writes as text, since they may have 64 bits. */
const COUNTS = new Set(["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"]);

export const readSchema = (schema: JsonObject): JsonObject => read(schema, 0);

function read(value: unknown, depth: number): JsonObject {
  const schema = protoFields(value);
  if (!isObject(schema) || depth > DEPTH_MAX) return {};
  const { nullable, ...rest } = schema;
  const fields = Object.entries(rest).flatMap(([key, inner]) => readField(key, inner, depth + 1));
  const made = Object.fromEntries(fields);
  return nullable === true ? orNull(made) : made;
}

function readField(key: string, value: unknown, depth: number): readonly (readonly [string, unknown])[] {
  switch (key) {
    case "type":
      return value === "TYPE_UNSPECIFIED" ? [] : [[key, lowerCase(value)]];
    case "items":
      return [[key, read(value, depth)]];
    case "additionalProperties":
      return [[key, isObject(value) ? read(value, depth) : value]];
    case "anyOf":
    case "oneOf":
    case "allOf":
    case "prefixItems":
      return [[key, Array.isArray(value) ? value.map((inner) => read(inner, depth)) : []]];
    case "properties":
      return [[key, isObject(value) ? mapValues(value, (inner) => read(inner, depth)) : {}]];
    // The order of properties has no word in JSON Schema; it is that of the object itself.
    case "propertyOrdering":
      return [];
    case "example":
      return [["examples", [value]]];
    default:
      return [[key, COUNTS.has(key) && typeof value === "string" ? Number(value) : value]];
  }
}

const lowerCase = (type: unknown): unknown =>
  Array.isArray(type) ? type.map(lowerCase) : typeof type === "string" ? type.toLowerCase() : type;

const mapValues = (object: JsonObject, change: (value: unknown) => unknown): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

function orNull(schema: JsonObject): JsonObject {
  const withNull = (values: unknown) =>
    Array.isArray(values) && !values.includes(null) ? { enum: [...(values as unknown[]), null] } : {};
  if (typeof schema.type === "string") {
    return { ...schema, type: [schema.type, "null"], ...withNull(schema.enum) };
  }
  if (Array.isArray(schema.anyOf)) {
    return { ...schema, anyOf: [...(schema.anyOf as unknown[]), { type: "null" }] };
  }
  return schema;
}
