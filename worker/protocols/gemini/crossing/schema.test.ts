import { describe, expect, it } from "vitest";
import { readSchema } from "./schema-in.ts";
import { writeSchema } from "./schema-out.ts";

describe("readSchema", () => {
  it("makes JSON Schema of Gemini's own form, in either spelling", () => {
    const schema = {
      type: "OBJECT",
      property_ordering: ["name"],
      properties: {
        name: { type: "STRING", nullable: true, enum: ["a", "b"], min_length: "2" },
        type: { type: "ARRAY", items: { type: "NUMBER", format: "float", example: 1 }, maxItems: "3" },
        either: { anyOf: [{ type: "BOOLEAN" }, { type: "INTEGER" }], nullable: true },
      },
      required: ["name"],
    };
    expect(readSchema(schema)).toEqual({
      type: "object",
      properties: {
        name: { type: ["string", "null"], enum: ["a", "b", null], minLength: 2 },
        type: { type: "array", items: { type: "number", format: "float", examples: [1] }, maxItems: 3 },
        either: { anyOf: [{ type: "boolean" }, { type: "integer" }, { type: "null" }] },
      },
      required: ["name"],
    });
  });

  it("leaves JSON Schema as it is", () => {
    const schema = { type: ["string", "null"], description: "x", additionalProperties: false, pattern: "^a" };
    expect(readSchema(schema)).toEqual(schema);
    expect(readSchema({ type: "TYPE_UNSPECIFIED", description: "any" })).toEqual({ description: "any" });
  });
});

describe("writeSchema", () => {
  it("puts references in place, with what stands beside them", () => {
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: "x",
      type: "object",
      properties: {
        item: { $ref: "#/$defs/Item", description: "mine" },
        old: { $ref: "#/definitions/a~1b%20c" },
        same: { $ref: "#/properties/item" },
        $ref: { type: "string" },
        const: { const: 3 },
        missing: { $ref: "#/$defs/Nothing", description: "gone" },
        outside: { $ref: "https://example.com/schema" },
      },
      additionalProperties: false,
      $defs: { Item: { type: "object", properties: { sub: { $ref: "#/$defs/Sub" } } }, Sub: { enum: ["a"] } },
      definitions: { "a/b c": { type: "integer" } },
    };
    const item = { type: "object", properties: { sub: { enum: ["a"] } }, description: "mine" };
    expect(writeSchema(schema)).toEqual({
      type: "object",
      properties: {
        item,
        old: { type: "integer" },
        same: item,
        $ref: { type: "string" },
        const: { enum: [3] },
        missing: { description: "gone" },
        outside: {},
      },
      additionalProperties: false,
    });
  });

  it("looks into every place where a schema may stand, and leaves data alone", () => {
    const text = { $ref: "#/$defs/T" };
    const schema = {
      $defs: { T: { type: "string" } },
      anyOf: [text, true],
      prefixItems: [text],
      items: text,
      not: text,
      additionalProperties: text,
      patternProperties: { "^a": text },
      default: { $ref: "data" },
      enum: [{ const: 1 }],
    };
    const whole = { type: "string" };
    expect(writeSchema(schema)).toEqual({
      anyOf: [whole, {}],
      prefixItems: [whole],
      items: whole,
      not: whole,
      additionalProperties: whole,
      patternProperties: { "^a": whole },
      default: { $ref: "data" },
      enum: [{ const: 1 }],
    });
  });

  it("leaves open what refers to itself", () => {
    const node = { type: "object", properties: { next: { $ref: "#/$defs/Node" } } };
    expect(writeSchema({ $ref: "#/$defs/Node", $defs: { Node: node } })).toEqual({
      type: "object",
      properties: { next: {} },
    });
    expect(writeSchema({ $ref: "#" })).toEqual({});
  });

  it("ends with references that multiply, and with schemas nested without end", () => {
    const level = (n: number) => ({
      properties: { a: { $ref: `#/$defs/L${String(n)}` }, b: { $ref: `#/$defs/L${String(n)}` } },
    });
    const levels = Array.from({ length: 60 }, (_, n) => [
      `L${String(n)}`,
      { ...level(n + 1), description: "x".repeat(1000) },
    ]);
    const bomb = { $ref: "#/$defs/L0", $defs: Object.fromEntries(levels) as object };
    expect(JSON.stringify(writeSchema(bomb)).length).toBeLessThan(3_000_000);
    const deep = JSON.parse(`${'{"items":'.repeat(10_000)}{}${"}".repeat(10_000)}`) as { items: object };
    expect(JSON.stringify(writeSchema(deep)).length).toBeLessThan(1000);
  });
});
