/**
 * JSON Schema as Gemini takes it in `parametersJsonSchema` and `responseJsonSchema`: any schema may be sent, but
 * references must resolve and stand alone (ai.google.dev/api/generate-content#GenerationConfig), so they are put
 * in place; what the model would not read of the rest it leaves aside. Pure.
 */
import type { JsonObject } from "../../neutral.ts";
import { isObject } from "../usage.ts";

/** No schema that a model could follow nests deeper. */
const DEPTH_MAX = 64;
/** What references may come to, in characters: they multiply without end. Beyond this they are left open. */
const REFERENCED_MAX = 1_000_000;

const ONE = new Set([
  "items",
  "additionalProperties",
  "not",
  "contains",
  "propertyNames",
  "if",
  "then",
  "else",
]);
const LIST = new Set(["anyOf", "oneOf", "allOf", "prefixItems"]);
const MAP = new Set(["properties", "patternProperties", "dependentSchemas"]);

interface Place {
  readonly root: JsonObject;
  readonly depth: number;
  /** The references that led here: one of them again would never end. */
  readonly trail: readonly string[];
  readonly left: { characters: number };
}

export const writeSchema = (schema: JsonObject): JsonObject =>
  write(schema, { root: schema, depth: 0, trail: [], left: { characters: REFERENCED_MAX } });

function write(schema: unknown, place: Place): JsonObject {
  if (!isObject(schema) || place.depth > DEPTH_MAX) return {};
  if (typeof schema.$ref === "string") return writeReference(schema, schema.$ref, place);
  const inner = { ...place, depth: place.depth + 1 };
  return Object.fromEntries(Object.entries(schema).flatMap((field) => writeField(field, schema, inner)));
}

/** What stands beside a reference holds besides. */
function writeReference({ $ref: _, ...beside }: JsonObject, ref: string, place: Place): JsonObject {
  const isOpen = place.trail.includes(ref) || place.left.characters < 0;
  const target = isOpen ? null : targetOf(place.root, ref);
  if (target !== null) place.left.characters -= JSON.stringify(target).length;
  const inner = { ...place, depth: place.depth + 1, trail: [...place.trail, ref] };
  return write(target === null ? beside : { ...target, ...beside }, inner);
}

/** Of a pointer into the schema itself: `#/$defs/Item`; null: it leads nowhere. */
function targetOf(root: JsonObject, ref: string): JsonObject | null {
  if (!ref.startsWith("#")) return null;
  const steps = ref.slice(1).split("/").slice(1).map(unescaped);
  const found = steps.reduce<unknown>(
    (at, step) =>
      typeof at === "object" && at !== null && Object.hasOwn(at, step) ? at[step as never] : null,
    root,
  );
  return isObject(found) ? found : null;
}

/** RFC 6901, inside the fragment of an address. */
function unescaped(step: string): string {
  const plain = step.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}

type Field = readonly [string, unknown];

function writeField([key, value]: Field, schema: JsonObject, place: Place): readonly Field[] {
  if (key.startsWith("$") || key === "definitions") return [];
  if (key === "const") return "enum" in schema || !isName(value) ? [] : [["enum", [value]]];
  if (ONE.has(key)) return [[key, typeof value === "boolean" ? value : write(value, place)]];
  if (LIST.has(key) && Array.isArray(value)) return [[key, value.map((inner) => write(inner, place))]];
  if (MAP.has(key) && isObject(value)) {
    return [
      [key, Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, write(inner, place)]))],
    ];
  }
  return [[key, value]];
}

/** `enum` is read for these only. */
const isName = (value: unknown): boolean => typeof value === "string" || typeof value === "number";
