import { describe, expect, it } from "vitest";
import { outputTokensOf, traitsOf, type ModelTraits } from "./model-traits.ts";

describe("traitsOf", () => {
  it.each<[string, Partial<ModelTraits>]>([
    ["claude-3-haiku-20240307", { thinking: "none", outputTokensMax: 4096, hasSampling: true }],
    ["claude-3-5-sonnet-20241022", { thinking: "none", outputTokensMax: 8192 }],
    ["claude-3-7-sonnet-latest", { thinking: "budget", outputTokensMax: 64_000 }],
    ["claude-opus-4-20250514", { thinking: "budget", outputTokensMax: 32_000, hasSchema: false }],
    ["claude-opus-4-1-20250805", { thinking: "budget", outputTokensMax: 32_000, hasSchema: true }],
    ["claude-sonnet-4@20250514", { thinking: "budget", outputTokensMax: 64_000, hasSchema: false }],
    [
      "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      { thinking: "budget", outputTokensMax: 64_000, hasSchema: true, hasSampling: true },
    ],
    ["claude-opus-4-6", { thinking: "adaptive", thinkingOff: "unset", hasSampling: true, hasDisplay: false }],
    ["claude-opus-4-8", { thinking: "adaptive", thinkingOff: "unset", hasSampling: false, hasDisplay: true }],
    ["claude-opus-5", { thinkingOff: "disabled", hasForcedTools: true }],
    ["claude-sonnet-5", { thinkingOff: "disabled" }],
    ["claude-haiku-5-5", { thinkingOff: "disabled" }],
    ["claude-sonnet-5-5", { thinkingOff: "between_tools", hasForcedTools: false }],
    ["anthropic/claude-opus-5.5", { thinkingOff: "never", hasForcedTools: false, hasSampling: false }],
    ["claude-fable-5", { thinkingOff: "never" }],
    ["claude-mythos-preview", { thinkingOff: "never" }],
    ["claude-opus-6-20270101", { thinkingOff: "never", thinking: "adaptive" }],
    ["glm-4.6", { thinking: "budget", outputTokensMax: null, hasSchema: false, hasSampling: true }],
  ])("knows %s", (model, traits) => {
    expect(traitsOf(model)).toMatchObject(traits);
  });
});

describe("outputTokensOf", () => {
  it("asks for what the model can give, where the client names nothing or more", () => {
    expect(outputTokensOf(traitsOf("claude-3-opus-20240229"), null)).toBe(4096);
    expect(outputTokensOf(traitsOf("claude-3-5-haiku-20241022"), 100_000)).toBe(8192);
    expect(outputTokensOf(traitsOf("claude-opus-5"), null)).toBe(32_000);
    expect(outputTokensOf(traitsOf("glm-4.6"), 100_000)).toBe(100_000);
    expect(outputTokensOf(traitsOf("claude-opus-5"), 5)).toBe(5);
  });
});
