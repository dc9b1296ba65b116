import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitsAny } from "./wildcard.ts";

describe("fitsAny", () => {
  it.each([
    ["claude-opus-4-5", "claude-opus-4-5"],
    ["*opus*", "claude-opus-4-5"],
    ["claude-*", "claude-opus-4-5"],
    ["*-4-5", "claude-opus-4-5"],
    ["claude-*-4-*", "claude-opus-4-5"],
    ["*", ""],
    ["*", "anything"],
    ["**", "x"],
    ["a*a", "aa"],
    ["*ab*ab", "abab"],
    ["Claude-OPUS*", "claude-opus-4-5"],
    ["claude-opus*", "CLAUDE-OPUS-4-5"],
    ["a.c", "a.c"],
  ])("finds that %j fits %j", (pattern, text) => {
    expect(fitsAny([pattern], text)).toBe(true);
  });

  it.each([
    ["claude-opus", "claude-opus-4-5"],
    ["opus", "claude-opus-4-5"],
    ["opus*", "claude-opus-4-5"],
    ["*opus", "claude-opus-4-5"],
    ["a*a", "a"],
    ["*ab*ab", "ab"],
    ["a*b*c", "acb"],
    ["a.c", "abc"],
    ["", "a"],
  ])("finds that %j does not fit %j", (pattern, text) => {
    expect(fitsAny([pattern], text)).toBe(false);
  });

  it("needs one pattern to fit, and nothing fits none", () => {
    expect(fitsAny(["gpt-*", "*sonnet*"], "claude-sonnet-4-5")).toBe(true);
    expect(fitsAny([], "claude-sonnet-4-5")).toBe(false);
  });

  it("agrees with the regular expression that says the same", () => {
    const letters = (...units: string[]) => fc.string({ unit: fc.constantFrom(...units), maxLength: 8 });
    fc.assert(
      fc.property(letters("a", "b", "*"), letters("a", "b"), (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll("*", ".*")}$`);
        expect(fitsAny([pattern], text)).toBe(expression.test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("answers at once for a pattern that a backtracking matcher would not survive", () => {
    expect(fitsAny(["*a".repeat(100)], "a".repeat(99) + "b")).toBe(false);
  });
});
