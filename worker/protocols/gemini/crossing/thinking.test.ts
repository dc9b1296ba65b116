import { describe, expect, it } from "vitest";
import { EFFORTS, type Reasoning } from "../../neutral.ts";
import { readThinking, requiresSignatures, thinkingConfig } from "./thinking.ts";

const asked = (more: Partial<Reasoning>): Reasoning => ({
  effort: null,
  budgetTokens: null,
  visible: false,
  ...more,
});
const efforts = (model: string) =>
  EFFORTS.map((effort) => {
    const { thinkingBudget, thinkingLevel } = thinkingConfig(model, asked({ effort })) ?? {};
    return thinkingBudget ?? thinkingLevel;
  });
const budgets = (model: string) =>
  [0, 100, 1024, 10_000, 60_000].map((budgetTokens) => {
    const { thinkingBudget, thinkingLevel } = thinkingConfig(model, asked({ budgetTokens })) ?? {};
    return thinkingBudget ?? thinkingLevel;
  });

describe("thinkingConfig", () => {
  it("gives 2.5 models a budget within their range", () => {
    expect(efforts("gemini-2.5-flash")).toEqual([0, 512, 1024, 8192, 24_576, 24_576, 24_576]);
    expect(efforts("gemini-2.5-pro")).toEqual([128, 512, 1024, 8192, 24_576, 24_576, 24_576]);
    expect(budgets("gemini-2.5-flash")).toEqual([0, 100, 1024, 10_000, 24_576]);
    expect(budgets("gemini-2.5-flash-lite")).toEqual([0, 512, 1024, 10_000, 24_576]);
    expect(budgets("gemini-2.5-pro")).toEqual([128, 128, 1024, 10_000, 32_768]);
  });

  it("gives later models the nearest level they know", () => {
    const higher = ["HIGH", "HIGH", "HIGH"];
    expect(efforts("gemini-3-flash-preview")).toEqual(["MINIMAL", "MINIMAL", "LOW", "MEDIUM", ...higher]);
    expect(efforts("gemini-3-pro-preview")).toEqual(["LOW", "LOW", "LOW", "HIGH", ...higher]);
    expect(efforts("gemini-3.1-pro-preview")).toEqual(["LOW", "LOW", "LOW", "MEDIUM", ...higher]);
    expect(efforts("gemini-4-argon")).toEqual(["LOW", "LOW", "LOW", "MEDIUM", ...higher]);
    expect(efforts("gemini-flash-latest")).toEqual(["MINIMAL", "MINIMAL", "LOW", "MEDIUM", ...higher]);
    expect(budgets("gemini-3.1-pro-preview")).toEqual(["LOW", "LOW", "LOW", "MEDIUM", "HIGH"]);
  });

  it("shows thoughts, and says nothing else where nothing is asked", () => {
    expect(thinkingConfig("gemini-2.5-pro", asked({ visible: true }))).toEqual({ includeThoughts: true });
    expect(thinkingConfig("gemini-3-pro", asked({}))).toEqual({});
  });

  it("is nothing for models that cannot be told to think", () => {
    expect(thinkingConfig("gemini-2.0-flash", asked({ effort: "low" }))).toBeNull();
    expect(thinkingConfig("gemma-4-27b", asked({ effort: "low" }))).toBeNull();
  });
});

describe("requiresSignatures", () => {
  it("is true from Gemini 3 on", () => {
    const models = ["gemini-3-pro", "gemini-4-argon", "gemini-pro-latest", "gemini-2.5-pro", "gemma-4"];
    expect(models.map(requiresSignatures)).toEqual([true, true, true, false, false]);
  });
});

describe("readThinking", () => {
  it.each([
    [{}, asked({})],
    [{ thinkingBudget: -1, includeThoughts: true }, asked({ visible: true })],
    [{ thinkingBudget: 0 }, asked({ effort: "none" })],
    [{ thinkingBudget: 2048 }, asked({ budgetTokens: 2048 })],
    [{ thinkingLevel: "MINIMAL" }, asked({ effort: "minimal" })],
    [{ thinkingLevel: "high" }, asked({ effort: "high" })],
    [{ thinkingLevel: "THINKING_LEVEL_UNSPECIFIED" }, asked({})],
  ])("understands %j", (config, reasoning) => {
    expect(readThinking(config)).toEqual(reasoning);
  });
});
