import { describe, expect, it } from "vitest";
import { serviceOfModel } from "./model-service.ts";

describe("serviceOfModel", () => {
  it.each([
    ["claude-sonnet-4-5-20250929", "claude"],
    ["us.anthropic.claude-opus-4-6-v1:0", "claude"],
    ["anthropic/claude-3.5-haiku", "claude"],
    ["gpt-6-sol", "openai"],
    ["gpt-5.2-codex", "openai"],
    ["o3", "openai"],
    ["o4-mini", "openai"],
    ["codex-mini-latest", "openai"],
    ["chatgpt-4o-latest", "openai"],
    ["gemini-3-pro", "gemini"],
    ["models/gemini-2.5-flash", "gemini"],
    ["glm-5", null],
    ["deepseek-chat", null],
    ["octopus-1", null],
    ["", null],
  ])("%s: %s", (model, service) => {
    expect(serviceOfModel(model)).toBe(service);
  });
});
