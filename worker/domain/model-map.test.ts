import { describe, expect, it } from "vitest";
import { mappedModel } from "./model-map.ts";

describe("mappedModel", () => {
  it.each([
    [{}, "claude-opus-4-5", "claude-opus-4-5"],
    [{ "claude-haiku-4-5": "small" }, "claude-opus-4-5", "claude-opus-4-5"],
    [{ "claude-opus-4-5": "large" }, "claude-opus-4-5", "large"],
    [{ "Claude-Opus-4-5": "large" }, "claude-opus-4-5", "large"],
    [{ "claude-*": "any", "claude-opus-4-5": "large" }, "claude-opus-4-5", "large"],
    [{ "*opus*": "first", "claude-*": "second" }, "claude-opus-4-5", "first"],
    [{ "claude-*": "second", "*opus*": "first" }, "claude-opus-4-5", "second"],
    [{ "*": "all" }, "gpt-5", "all"],
    [{ opus: "part" }, "claude-opus-4-5", "claude-opus-4-5"],
  ])("by the map %j asks for %s as %s", (map, model, expected) => {
    expect(mappedModel(map, model)).toBe(expected);
  });

  it("maps once: what a name was mapped to is not looked up again", () => {
    expect(mappedModel({ a: "b", b: "c" }, "a")).toBe("b");
  });

  it("takes names that every object knows for names like any other", () => {
    expect(mappedModel({ a: "b" }, "constructor")).toBe("constructor");
    expect(mappedModel({ constructor: "b" }, "constructor")).toBe("b");
  });
});
