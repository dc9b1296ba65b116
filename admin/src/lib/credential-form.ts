/** Draws a form from a provider's credential schema (JSON Schema) and reads it back. Pure. */
import { textOf } from "./form-text";

export type CredentialFieldKind = "text" | "secret" | "lines" | "number" | "flag" | "choice" | "json";

export interface CredentialField {
  readonly name: string;
  readonly label: string;
  readonly hint: string | null;
  readonly kind: CredentialFieldKind;
  readonly required: boolean;
  readonly choices: readonly string[];
  readonly initial: string;
}

/** One shape that a credential may have; most providers know only one. */
export interface CredentialVariant {
  readonly label: string;
  readonly fields: readonly CredentialField[];
}

type Schema = Readonly<Record<string, unknown>>;

export type CredentialReading =
  | { readonly kind: "empty" }
  | { readonly kind: "read"; readonly credential: Record<string, unknown> }
  | { readonly kind: "invalid"; readonly problems: Readonly<Record<string, string>> };

/** The form name of a credential's field. */
export const credentialInput = (name: string): string => `credential.${name}`;
/** The form name of the text area that takes the whole credential as JSON. */
export const CREDENTIAL_JSON = "credential";

const SECRET_NAME = /token|key|secret|password|cookie/i;

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** accessKeyId -> Access key id */
function sentence(name: string): string {
  const words = name.replace(/[_-]+/g, " ").replace(/([a-z\d])([A-Z])/g, "$1 $2");
  return words.charAt(0).toUpperCase() + words.slice(1).toLowerCase();
}

/** `anyOf: [X, null]` is how an optional X may be written, or `[X, ""]`. */
function withoutNothing(schema: Schema): Schema {
  const options = schema["anyOf"] ?? schema["oneOf"];
  if (!Array.isArray(options)) return schema;
  const rest = options
    .filter(isSchema)
    .filter((option) => option["type"] !== "null" && option["const"] !== "");
  return rest.length === 1 && rest[0] !== undefined ? { ...schema, ...rest[0] } : schema;
}

function kindOf(name: string, schema: Schema, choices: readonly string[]): CredentialFieldKind {
  if (choices.length > 0) return "choice";
  const type = [schema["type"]].flat().find((one) => one !== "null");
  if (type === "integer" || type === "number") return "number";
  if (type === "boolean") return "flag";
  if (type === "array" && isSchema(schema["items"]) && schema["items"]["type"] === "string") return "lines";
  if (type !== "string") return "json";
  return schema["format"] === "password" || schema["writeOnly"] === true || SECRET_NAME.test(name)
    ? "secret"
    : "text";
}

function drawField(name: string, property: unknown, required: boolean): CredentialField {
  const schema = withoutNothing(isSchema(property) ? property : {});
  const choices = Array.isArray(schema["enum"]) ? schema["enum"].map(String) : [];
  const initial = schema["default"];
  return {
    name,
    label: text(schema["title"]) ?? sentence(name),
    hint: text(schema["description"]),
    kind: kindOf(name, schema, choices),
    required: required && initial === undefined,
    choices,
    initial: ["string", "number", "boolean"].includes(typeof initial) ? String(initial) : "",
  };
}

/** A constant is no question; it belongs to the variant and is sent along. */
const isConstant = (property: unknown): boolean => isSchema(property) && "const" in property;

function drawVariant(schema: Schema): CredentialVariant {
  const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const fields = Object.entries(properties)
    .filter(([, property]) => !isConstant(property))
    .map(([name, property]) => drawField(name, property, required.includes(name)));
  const label = text(schema["title"]) ?? fields.find((field) => field.required)?.label ?? "Credential";
  return { label, fields };
}

function variantSchemas(schema: unknown): readonly Schema[] {
  if (!isSchema(schema)) return [];
  const options = schema["anyOf"] ?? schema["oneOf"];
  return Array.isArray(options) ? options.filter(isSchema) : [schema];
}

export function drawCredential(schema: unknown): readonly CredentialVariant[] {
  return variantSchemas(schema).map(drawVariant);
}

function constantsOf(schema: Schema | undefined): Record<string, unknown> {
  const properties = isSchema(schema?.["properties"]) ? schema["properties"] : {};
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) =>
      isSchema(property) && "const" in property ? [[name, property["const"]]] : [],
    ),
  );
}

type ValueReading =
  { readonly kind: "value"; readonly value: unknown } | { readonly kind: "bad"; readonly message: string };

function readValue(field: CredentialField, entered: string): ValueReading {
  switch (field.kind) {
    case "text":
    case "secret":
    case "choice":
      return { kind: "value", value: entered };
    case "lines": {
      const lines = entered.split("\n").map((line) => line.trim());
      return { kind: "value", value: lines.filter((line) => line !== "") };
    }
    case "flag":
      return { kind: "value", value: entered === "on" || entered === "true" };
    case "number": {
      const value = Number(entered);
      return Number.isFinite(value) ? { kind: "value", value } : { kind: "bad", message: "must be a number" };
    }
    case "json":
      return readJson(entered);
  }
}

function readJson(entered: string): ValueReading {
  try {
    return { kind: "value", value: JSON.parse(entered) };
  } catch {
    return { kind: "bad", message: "must be valid JSON" };
  }
}

function readWhole(entered: string): CredentialReading {
  const reading = readJson(entered);
  if (reading.kind === "value" && isSchema(reading.value))
    return { kind: "read", credential: { ...reading.value } };
  return { kind: "invalid", problems: { [CREDENTIAL_JSON]: "must be a JSON object" } };
}

/** Reads what was entered for one variant; the pasted JSON, if there is any, goes before the single fields. */
export function readCredential(form: FormData, schema: unknown, variantIndex: number): CredentialReading {
  const pasted = textOf(form, CREDENTIAL_JSON);
  if (pasted !== "") return readWhole(pasted);

  const chosen = variantSchemas(schema)[variantIndex];
  const fields = chosen === undefined ? [] : drawVariant(chosen).fields;
  const entered = fields.map((field) => ({
    field,
    value: textOf(form, credentialInput(field.name)),
  }));
  if (entered.every(({ field, value }) => value === "" || value === field.initial)) return { kind: "empty" };

  const credential = constantsOf(chosen);
  const problems: Record<string, string> = {};
  for (const { field, value } of entered) {
    if (value === "") {
      if (field.required) problems[credentialInput(field.name)] = "is required";
      continue;
    }
    const reading = readValue(field, value);
    if (reading.kind === "bad") problems[credentialInput(field.name)] = reading.message;
    else credential[field.name] = reading.value;
  }
  return Object.keys(problems).length > 0 ? { kind: "invalid", problems } : { kind: "read", credential };
}
