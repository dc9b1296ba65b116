import { describe, expect, it } from "vitest";
import { BARE_REQUEST, type NeutralRequest, type Reasoning, type Turn } from "../../neutral.ts";
import { encodeRequest } from "./encode-request.ts";

const person: Turn = { role: "user", parts: [{ kind: "text", text: "Hi", cache: null }] };
const call: Turn = {
  role: "assistant",
  parts: [{ kind: "tool_call", id: "a", name: "look", arguments: "{}", signature: null }],
};
const result: Turn = {
  role: "user",
  parts: [
    {
      kind: "tool_result",
      callId: "a",
      name: "look",
      content: [{ kind: "text", text: "ok", cache: null }],
      isError: false,
      cache: null,
    },
  ],
};
const said: Turn = { role: "assistant", parts: [{ kind: "text", text: "Done.", cache: null }] };
const thought: Turn = {
  role: "assistant",
  parts: [
    { kind: "thinking", text: "Hm.", signature: { origin: "anthropic", data: "s" }, redacted: false },
    ...call.parts,
  ],
};
const TOOL = { name: "look", description: null, parameters: { type: "object" }, strict: null, cache: null };

const reasoning = (rest: Partial<Reasoning>): Reasoning => ({
  effort: null,
  budgetTokens: null,
  visible: true,
  ...rest,
});
const encode = (model: string, rest: Partial<NeutralRequest>) =>
  encodeRequest({ ...BARE_REQUEST, model, turns: [person], ...rest });
const asked = (model: string, rest: Partial<NeutralRequest>) => {
  const { max_tokens, thinking, output_config, temperature, top_p, top_k } = encode(model, rest).body;
  return { max_tokens, thinking, output_config, temperature, top_p, top_k };
};

describe("reasoning", () => {
  it.each<[string, Partial<Reasoning>, number, number]>([
    ["low effort", { effort: "low" }, 1024, 17_024],
    ["medium effort", { effort: "medium" }, 8192, 24_192],
    ["high effort", { effort: "high" }, 24_576, 40_576],
    ["the most effort", { effort: "max" }, 48_000, 64_000],
    ["as much as the model likes", {}, 8192, 24_192],
    ["a budget", { budgetTokens: 5000 }, 5000, 21_000],
    ["a budget below the least", { budgetTokens: 10 }, 1024, 16_010],
  ])("of %s is a budget for models that want one", (_, wanted, budget_tokens, max_tokens) => {
    expect(asked("claude-sonnet-4-5", { reasoning: reasoning(wanted), temperature: 0.2 })).toEqual({
      max_tokens,
      thinking: { type: "enabled", budget_tokens },
    });
  });

  it("shares the client's limit with the answer", () => {
    expect(
      asked("claude-sonnet-4-5", { reasoning: reasoning({ effort: "high" }), outputTokensMax: 4000 }),
    ).toEqual({ max_tokens: 4000, thinking: { type: "enabled", budget_tokens: 3000 } });
    const { body, omitted } = encode("claude-sonnet-4-5", {
      reasoning: reasoning({ effort: "high" }),
      outputTokensMax: 1000,
    });
    expect(body).not.toHaveProperty("thinking");
    expect(omitted).toEqual(["reasoning, as the longest answer leaves no room for it"]);
  });

  it.each<[string, Partial<Reasoning>, unknown, string | undefined]>([
    ["claude-opus-4-6", { effort: "medium" }, { type: "adaptive" }, "medium"],
    ["claude-sonnet-4-6", { effort: "xhigh" }, { type: "adaptive" }, "high"],
    ["claude-opus-5-5", { effort: "xhigh" }, { type: "adaptive", display: "summarized" }, "xhigh"],
    ["claude-opus-5-5", { effort: "minimal" }, { type: "adaptive", display: "summarized" }, "low"],
    ["claude-opus-5-5", { effort: "low", visible: false }, { type: "adaptive", display: "omitted" }, "low"],
    ["claude-opus-5-5", { budgetTokens: 2000 }, { type: "adaptive", display: "summarized" }, "low"],
    ["claude-opus-5-5", { budgetTokens: 50_000 }, { type: "adaptive", display: "summarized" }, "high"],
    ["claude-opus-5-5", {}, { type: "adaptive", display: "summarized" }, undefined],
  ])("is effort for %s: %j", (model, wanted, thinking, effort) => {
    const output_config = effort === undefined ? undefined : { effort };
    expect(asked(model, { reasoning: reasoning(wanted) })).toMatchObject({ max_tokens: 32_000, thinking });
    expect(asked(model, { reasoning: reasoning(wanted) }).output_config).toEqual(output_config);
  });

  it.each<[string, unknown, string | undefined]>([
    ["claude-sonnet-4-5", undefined, undefined],
    ["claude-opus-4-8", undefined, undefined],
    ["claude-opus-5", { type: "disabled" }, undefined],
    ["claude-sonnet-5-5", { type: "between_tools" }, undefined],
    ["claude-opus-5-5", undefined, "low"],
  ])("is turned off as %s knows it", (model, thinking, effort) => {
    for (const off of [reasoning({ effort: "none" }), reasoning({ budgetTokens: 0 })]) {
      const { body } = encode(model, { reasoning: off });
      expect(body.thinking).toEqual(thinking);
      expect(body.output_config).toEqual(effort === undefined ? undefined : { effort });
    }
  });

  it("is left to the model where the client says nothing, and left out where it cannot think", () => {
    expect(encode("claude-opus-5-5", {}).body).not.toHaveProperty("thinking");
    const { body, omitted } = encode("claude-3-haiku-20240307", { reasoning: reasoning({ effort: "high" }) });
    expect(body).not.toHaveProperty("thinking");
    expect(omitted).toEqual(["reasoning"]);
  });

  it("waits with a budget until the tool calls that were begun without it are done", () => {
    const wanted = { reasoning: reasoning({ effort: "low" }), tools: [TOOL] };
    const thinkingIn = (model: string, turns: readonly Turn[]) =>
      encode(model, { ...wanted, turns }).body.thinking;
    expect(thinkingIn("claude-sonnet-4-5", [person, call, result])).toBeUndefined();
    expect(thinkingIn("claude-sonnet-4-5", [person, thought, result])).toBeDefined();
    expect(thinkingIn("claude-sonnet-4-5", [person, call, result, person])).toBeUndefined();
    expect(thinkingIn("claude-sonnet-4-5", [person, call, result, said, person])).toBeDefined();
    expect(thinkingIn("claude-opus-4-6", [person, call, result])).toEqual({ type: "adaptive" });
  });

  it("gives way to a tool call that is demanded", () => {
    const demanded = {
      tools: [TOOL],
      toolChoice: { kind: "required" },
      reasoning: reasoning({ effort: "high" }),
    } as const;
    expect(encode("claude-sonnet-4-6", demanded).body).not.toHaveProperty("thinking");
    expect(encode("claude-sonnet-4-6", demanded).omitted).toContain("reasoning, as a tool call is demanded");
    expect(encode("claude-opus-5", { ...demanded, reasoning: null }).body.thinking).toEqual({
      type: "disabled",
    });
    expect(() => encode("claude-opus-5-5", demanded)).toThrow("tool_choice that demands a call");
  });
});

describe("sampling", () => {
  const warm = { temperature: 1.6, topP: 0.9, topK: 20 };

  it("stops at Anthropic's highest temperature, and is one of two", () => {
    expect(asked("claude-sonnet-4-5", warm)).toMatchObject({ temperature: 1, top_k: 20 });
    expect(encode("claude-sonnet-4-5", warm).body).not.toHaveProperty("top_p");
    expect(encode("claude-sonnet-4-5", warm).omitted).toEqual(["temperature above 1", "top_p"]);
    expect(asked("claude-sonnet-4-5", { topP: 0.9 })).toMatchObject({ top_p: 0.9 });
  });

  it("is left out where the model samples by itself, or thinks", () => {
    for (const { body, omitted } of [
      encode("claude-opus-4-7", warm),
      encode("claude-opus-4-6", { ...warm, reasoning: reasoning({ effort: "low" }) }),
    ]) {
      expect(Object.keys(body).filter((field) => /^(temperature|top_)/.test(field))).toEqual([]);
      expect(omitted).toEqual(["temperature", "top_p", "top_k"]);
    }
  });
});
