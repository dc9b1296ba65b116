/** How an answer in JSON is asked for. Pure. */
import type { JsonObject, OutputFormat } from "../../neutral.ts";
import { isObject } from "./json.ts";
import type { ModelTraits } from "./model-traits.ts";

interface AskedFormat {
  /** For `output_config.format`; null: only the instruction asks for it. */
  readonly format: JsonObject | null;
  /** Added to the system prompt. */
  readonly instruction: string | null;
}

export function askedFormat(format: OutputFormat | null, { hasSchema }: ModelTraits): AskedFormat {
  if (format === null) return { format: null, instruction: null };
  if (format.kind === "json") {
    return { format: null, instruction: "Answer with one valid JSON object and nothing else." };
  }
  if (hasSchema) {
    return { format: { type: "json_schema", schema: closedSchema(format.schema) }, instruction: null };
  }
  const schema = JSON.stringify(format.schema);
  return {
    format: null,
    instruction: `Answer with one valid JSON value and nothing else. It must match this JSON Schema: ${schema}`,
  };
}

/** Bounds that Anthropic's grammar cannot hold an answer to; it refuses a schema that has them. */
const UNSUPPORTED = new Set([
  "$schema",
  "exclusiveMaximum",
  "exclusiveMinimum",
  "maximum",
  "maxItems",
  "maxLength",
  "maxProperties",
  "minimum",
  "minLength",
  "minProperties",
  "multipleOf",
  "uniqueItems",
]);
const STRING_FORMATS = new Set([
  "date",
  "date-time",
  "duration",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "time",
  "uri",
  "uuid",
]);
/** Fields whose values are schemas by name. */
const SCHEMA_MAPS = new Set(["properties", "$defs", "definitions"]);
const SCHEMA_LISTS = new Set(["anyOf", "allOf", "prefixItems"]);

/** The schema as Anthropic takes it: objects are closed, and bounds it does not know are told in words. */
export function closedSchema(schema: JsonObject): JsonObject {
  const closed: Record<string, unknown> = {};
  const told: string[] = [];
  for (const [field, value] of Object.entries(schema)) {
    if (isRefused(field, value)) told.push(`${field}: ${JSON.stringify(value)}`);
    else if (field === "oneOf") closed.anyOf = closedList(value);
    else closed[field] = closedField(field, value);
  }
  if (isObject(schema.properties) || schema.type === "object") closed.additionalProperties = false;
  const bounds = told.filter((bound) => !bound.startsWith("$schema"));
  if (bounds.length > 0) {
    const description = typeof schema.description === "string" ? `${schema.description} ` : "";
    closed.description = `${description}(${bounds.join(", ")})`;
  }
  return closed;
}

function isRefused(field: string, value: unknown): boolean {
  if (field === "format") return typeof value !== "string" || !STRING_FORMATS.has(value);
  if (field === "minItems") return value !== 0 && value !== 1;
  return UNSUPPORTED.has(field);
}

function closedField(field: string, value: unknown): unknown {
  if (SCHEMA_LISTS.has(field)) return closedList(value);
  if (SCHEMA_MAPS.has(field) && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, closedValue(inner)]));
  }
  return field === "items" ? closedValue(value) : value;
}

const closedValue = (value: unknown): unknown => (isObject(value) ? closedSchema(value) : value);
const closedList = (value: unknown): unknown => (Array.isArray(value) ? value.map(closedValue) : value);
