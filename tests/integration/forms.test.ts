/** A page that knows no provider can make an account of each from what the API tells of its form. */
import { describe, expect, it } from "vitest";
import type { AccountView } from "../../worker/domain/account.ts";
import { admin, unique } from "./setup/relay.ts";

type Schema = Readonly<Record<string, unknown>>;
interface Form {
  readonly id: string;
  readonly credential: Schema;
  readonly account: Schema;
  readonly order: readonly string[];
  readonly editable: readonly string[];
  readonly signIns: readonly string[];
  readonly defaultBaseUrl: string | null;
}

const { items: forms } = await (await admin("GET", "/providers")).json<{ items: Form[] }>();

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const propertiesOf = ({ properties }: Schema): Readonly<Record<string, Schema>> =>
  isSchema(properties) ? (properties as Readonly<Record<string, Schema>>) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** What a person might enter in a field, by its schema alone. */
function entryFor(schema: Schema, name: string): unknown {
  const [example] = listOf(schema["examples"]);
  if (example !== undefined) return example;
  const [alternative] = listOf(schema["anyOf"]);
  if (isSchema(alternative)) return entryFor(alternative, name);
  switch (schema["type"]) {
    case "array":
      return [entryFor(isSchema(schema["items"]) ? schema["items"] : {}, name)];
    case "integer":
    case "number":
      return schema["minimum"] ?? 1;
    case "string":
      return schema["format"] === "uri" ? "https://upstream.example" : unique(name.toLowerCase());
    default:
      throw new Error(`what to enter in ${name}? ${JSON.stringify(schema)}`);
  }
}

const isSecret = (schema: Schema) => schema["writeOnly"] === true;

/** The required fields of a shape; where none is, its first secret. */
function filled(schema: Schema): Record<string, unknown> {
  const [shape] = listOf(schema["anyOf"]);
  if (isSchema(shape)) return filled(shape);
  const properties = propertiesOf(schema);
  const required = listOf(schema["required"]).map(String);
  const hasSecret = required.some((name) => isSecret(properties[name] ?? {}));
  const first = Object.keys(properties).find((name) => isSecret(properties[name] ?? {}));
  const names = hasSecret || first === undefined ? required : [...required, first];
  return Object.fromEntries(names.map((name) => [name, entryFor(properties[name] ?? {}, name)]));
}

describe("the form of an account, as data", () => {
  it.each(forms)("is enough to make one of $id", async ({ id, account, credential }) => {
    const body = { ...filled(account), provider: id, credential: filled(credential) };
    const response = await admin("POST", "/accounts", body);
    expect(await response.clone().text()).toContain('"id":"acc_');
    expect(response.status).toBe(201);
    const made = await response.json<AccountView>();
    expect(made.provider).toBe(id);
  });

  it.each(forms)("of $id says of every field its title, its place, and whether it can be changed", (form) => {
    const fields = propertiesOf(form.account);
    expect(Object.keys(fields).toSorted()).toEqual([...form.order].toSorted());
    for (const field of Object.values(fields)) {
      expect(typeof field["title"]).toBe("string");
      expect(typeof field["description"]).toBe("string");
    }
    expect(form.editable.toSorted()).toEqual([...form.order, "credential"].toSorted());
    expect(fields["priority"]).toMatchObject({ default: 50, minimum: 1, maximum: 100 });
  });

  it.each(forms)("of $id marks every secret of the credential", ({ credential }) => {
    const shapes = [credential, ...listOf(credential["anyOf"]).filter(isSchema)];
    const secrets = shapes.flatMap((shape) =>
      Object.entries(propertiesOf(shape)).filter(([name]) => /token|apiKeys?$|secret/i.test(name)),
    );
    expect(secrets.length).toBeGreaterThan(0);
    for (const [name, schema] of secrets) expect(isSecret(schema), name).toBe(true);
  });

  it("names the ways to sign in", () => {
    const ways = Object.fromEntries(forms.map(({ id, signIns }) => [id, signIns]));
    expect(ways["claude-oauth"]).toEqual(["redirect", "setup_token", "tokens", "credential"]);
    expect(ways["droid"]).toEqual(["device", "tokens", "credential"]);
    expect(ways["claude-console"]).toEqual(["credential"]);
  });
});
