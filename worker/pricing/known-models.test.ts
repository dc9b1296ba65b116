import { describe, expect, it } from "vitest";
import { knownModels } from "./known-models.ts";
import { PRICE_TABLE } from "./table.ts";

describe("knownModels", () => {
  const ids = knownModels(PRICE_TABLE).map((model) => model.id);

  it("puts the newest version first", () => {
    const order = [
      "claude-opus-5-5",
      "claude-fable-5-1",
      "claude-opus-5",
      "claude-opus-4-8",
      "claude-haiku-4-5",
    ];
    expect(ids.filter((id) => order.includes(id))).toEqual(order);
  });

  it("reads versions with a dot and with what comes behind them", () => {
    const order = ["gemini-3.8-flash", "gemini-3.1-pro-preview", "gemini-3-flash-preview", "gemini-2.5-pro"];
    expect(ids.filter((id) => order.includes(id))).toEqual(order);
    expect(ids).not.toContain("gemini-embedding-001");
  });

  it("does so where a name follows the version", () => {
    const order = ["gpt-6-sol", "gpt-5.6-sol", "gpt-5.4-mini", "gpt-5", "o3"];
    expect(ids.filter((id) => order.includes(id))).toEqual(order);
  });

  it("leaves out deprecated models, which keep their prices", () => {
    expect(ids).not.toContain("claude-v1");
    expect(ids).not.toContain("claude-3-haiku");
    expect(PRICE_TABLE.models.map((model) => model.id)).toContain("claude-3-haiku");
  });

  it("says whose each model is, what it is called and how much it reads", () => {
    expect(knownModels(PRICE_TABLE)).toContainEqual({
      id: "claude-opus-5-5",
      vendor: "anthropic",
      name: "Claude Opus 5.5",
      contextWindow: 1_000_000,
    });
  });
});
