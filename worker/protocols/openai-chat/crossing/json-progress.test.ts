import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JSON_START, advance, isWhole } from "./json-progress.ts";

describe("the progress of an object", () => {
  it("is whole at its last character, and not before", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (value, cut) => {
        const json = JSON.stringify(value);
        const at = cut % json.length;
        const half = advance(JSON_START, json.slice(0, at));
        expect(isWhole(half)).toBe(false);
        expect(isWhole(advance(half, json.slice(at)))).toBe(true);
      }),
    );
  });
});
