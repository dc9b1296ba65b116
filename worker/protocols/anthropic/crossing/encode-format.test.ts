import { describe, expect, it } from "vitest";
import { askedFormat, closedSchema } from "./encode-format.ts";
import { traitsOf } from "./model-traits.ts";

const NEW = traitsOf("claude-sonnet-4-6");
const OLD = traitsOf("claude-3-7-sonnet");
const SCHEMA = { kind: "schema", name: "person", schema: { type: "object" }, strict: true } as const;

describe("askedFormat", () => {
  it("asks for nothing where the client wants text", () => {
    expect(askedFormat(null, NEW)).toEqual({ format: null, instruction: null });
  });

  it("asks for any JSON in words", () => {
    const { format, instruction } = askedFormat({ kind: "json" }, NEW);
    expect(format).toBeNull();
    expect(instruction).toContain("one valid JSON object");
  });

  it("asks for a schema by itself, and in words where the model knows no schemas", () => {
    expect(askedFormat(SCHEMA, NEW)).toEqual({
      format: { type: "json_schema", schema: { type: "object", additionalProperties: false } },
      instruction: null,
    });
    expect(askedFormat(SCHEMA, OLD).format).toBeNull();
    expect(askedFormat(SCHEMA, OLD).instruction).toContain('{"type":"object"}');
  });
});

describe("closedSchema", () => {
  it("closes every object, and tells bounds in words", () => {
    expect(
      closedSchema({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: {
          minimum: { type: "integer", minimum: 1, maximum: 5, description: "A grade." },
          when: { type: "string", format: "date" },
          kind: {
            oneOf: [
              { type: "object", properties: {} },
              { type: "string", format: "phone" },
            ],
          },
          list: { type: "array", minItems: 1, maxItems: 3, items: { $ref: "#/$defs/item" } },
        },
        $defs: { item: { type: "object", properties: { a: { enum: ["x"] } }, additionalProperties: true } },
        required: ["minimum"],
      }),
    ).toEqual({
      type: "object",
      additionalProperties: false,
      properties: {
        minimum: { type: "integer", description: "A grade. (minimum: 1, maximum: 5)" },
        when: { type: "string", format: "date" },
        kind: {
          anyOf: [
            { type: "object", properties: {}, additionalProperties: false },
            { type: "string", description: '(format: "phone")' },
          ],
        },
        list: {
          type: "array",
          minItems: 1,
          description: "(maxItems: 3)",
          items: { $ref: "#/$defs/item" },
        },
      },
      $defs: { item: { type: "object", properties: { a: { enum: ["x"] } }, additionalProperties: false } },
      required: ["minimum"],
    });
  });
});
