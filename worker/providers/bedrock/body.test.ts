import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bedrockBody, type BodyOptions } from "./body.ts";

const bodyOf = (text: string, options: Partial<BodyOptions> = {}): string =>
  new TextDecoder().decode(
    bedrockBody(new TextEncoder().encode(text), { betas: null, addMaxTokens: false, ...options }),
  );

describe("bedrockBody", () => {
  it("leaves out what the path says, names its version, and keeps every other value byte by byte", () => {
    const body = `{"model":"m","stream":true,"max_tokens":1e2, "unknown" : [1.50, "\\u00e9é"],"messages":[]}`;
    expect(bodyOf(body)).toBe(
      `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1e2,"unknown":[1.50, "\\u00e9é"],"messages":[]}`,
    );
  });

  it("does not take the client's word for the version", () => {
    expect(bodyOf(`{"anthropic_version":"2099-01-01"}`)).toBe(`{"anthropic_version":"bedrock-2023-05-31"}`);
  });

  it("carries every beta flag over, those of the header and those of the body, once", () => {
    const body = bodyOf(`{"anthropic_beta":["b", 7, "c"]}`, { betas: "a, b,,claude-code-20250219" });
    expect(JSON.parse(body)).toMatchObject({ anthropic_beta: ["b", "c", "a", "claude-code-20250219"] });
  });

  it("takes the scope out of the cache's marks wherever blocks are, and leaves the rest of them", () => {
    const mark = { type: "ephemeral", ttl: "1h", scope: "global" };
    const without = { type: "ephemeral", ttl: "1h" };
    const conversation = (cache_control: unknown) => ({
      cache_control,
      system: [{ type: "text", text: "scope", cache_control }],
      tools: [{ name: "t", input_schema: { properties: { cache_control: mark } }, cache_control }],
      messages: [
        { role: "user", content: 'plain "scope"' },
        {
          role: "user",
          content: [
            { type: "text", text: "x", cache_control },
            { type: "tool_result", content: [{ type: "text", text: "y", cache_control }] },
          ],
        },
        { role: "assistant", content: [{ type: "tool_use", input: { cache_control: mark } }] },
      ],
    });
    expect(JSON.parse(bodyOf(JSON.stringify(conversation(mark))))).toEqual({
      anthropic_version: "bedrock-2023-05-31",
      ...conversation(without),
    });
  });

  it.each([
    [`{}`, 1],
    [`{"thinking":{"type":"enabled","budget_tokens":2000}}`, 2001],
    [`{"thinking":{"type":"adaptive"}}`, 1],
    [`{"max_tokens":64}`, 64],
  ])("makes room for an answer that a count of %s does not want", (body, tokens) => {
    expect(JSON.parse(bodyOf(body, { addMaxTokens: true }))).toMatchObject({ max_tokens: tokens });
  });

  it("makes JSON of any JSON, with all of its other fields", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 20 }), fc.jsonValue()), (fields) => {
        const { model: _, stream: _s, anthropic_beta: _b, ...rest } = fields;
        const body = JSON.parse(bodyOf(JSON.stringify(fields))) as Record<string, unknown>;
        delete body["anthropic_beta"];
        const expected = { ...rest, anthropic_version: "bedrock-2023-05-31" };
        expect(JSON.stringify(sorted(body))).toBe(JSON.stringify(sorted(expected)));
      }),
    );
  });
});

const sorted = (fields: Readonly<Record<string, unknown>>) =>
  Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
