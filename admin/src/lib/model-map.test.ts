import { describe, expect, it } from "vitest";
import { modelMapText, readModelMap } from "./model-map";

describe("readModelMap", () => {
  it("reads back what modelMapText wrote, in its order", () => {
    const map = { "claude-opus-4-1": "claude-sonnet-4-5", "claude-*": "claude-haiku-4-5" };
    const reading = readModelMap(modelMapText(map).split("\n"));
    expect(reading).toEqual({ map, problem: null });
    expect(Object.keys(reading.map)).toEqual(Object.keys(map));
  });

  it("does not care for blanks around the names", () => {
    expect(readModelMap(["a=b", "  c  =  d/e:1  "]).map).toEqual({ a: "b", c: "d/e:1" });
  });

  it.each(["claude-opus-4-1", "= claude-opus-4-1", "claude-opus-4-1 =", "="])(
    "quotes the line %j",
    (line) => {
      expect(readModelMap(["a = b", line]).problem).toBe(`“${line}” must be: requested = upstream`);
    },
  );

  it("refuses two answers to one question", () => {
    expect(readModelMap(["a = b", "a = c"]).problem).toBe("“a” must not be there twice");
  });
});
