import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonArrayReader } from "./json-array.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function read(bytes: Uint8Array, slice: number) {
  const elements: unknown[] = [];
  const reader = new JsonArrayReader({
    onElement: (element) => elements.push(JSON.parse(new TextDecoder().decode(element))),
  });
  for (let at = 0; at < bytes.length; at += slice) reader.push(bytes.subarray(at, at + slice));
  return { reader, elements };
}

const anyArray = fc.array(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()), { maxLength: 5 });
const anySpace = fc.constantFrom("", " ", "\t", "\r\n ");

describe("JsonArrayReader", () => {
  it("hands out the same elements for every slicing of the array", () => {
    fc.assert(
      fc.property(anyArray, anySpace, (array, space) => {
        const bytes = bytesOf(JSON.stringify(array, null, space));
        for (const slice of [1, 2, 3, 5, 7, 64]) {
          const { reader, elements } = read(bytes, slice);
          expect(elements).toEqual(JSON.parse(new TextDecoder().decode(bytes)));
          expect(reader.isClosed).toBe(true);
          expect(reader.frame).toBeNull();
        }
      }),
    );
  });

  it("makes a whole array with one more element of whatever was cut off, wherever it was", () => {
    fc.assert(
      fc.property(anyArray, anySpace, fc.nat(), (array, space, cut) => {
        const whole = JSON.stringify(array, null, space);
        const bytes = bytesOf(whole);
        const part = bytes.subarray(0, cut % bytes.length);
        const { frame } = read(part, 3).reader;
        const closed = `${new TextDecoder().decode(part)}${frame?.before ?? ""}{"last":true}${frame?.after ?? ""}`;
        expect((JSON.parse(closed) as unknown[]).at(-1)).toEqual({ last: true });
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["", "[", "]"],
    ["[", "", "]"],
    ["[{}", ",", "]"],
    ["[{},", "", "]"],
    ['[{"a', '":null},', "]"],
    ['[{"a":', "null},", "]"],
    ['[{"a":"\\', '\\"},', "]"],
    ['[{"a":"\\u12', '00"},', "]"],
    ['[{"a":tr', "ue},", "]"],
    ['[{"a":1.', "0},", "]"],
    ['[{"a":[1,', "null]},", "]"],
    ['[{"a":1,', '"":null},', "]"],
  ])("closes %j with %j", (text, before, after) => {
    expect(read(bytesOf(text), 1).reader.frame).toEqual({ before, after });
  });

  it.each(["{}", "data: {}\n\n", "[]x", "[}", "<html>"])("gives up on %j, which is no array", (text) => {
    const { reader, elements } = read(bytesOf(text), 1);
    expect(reader.frame).toBeNull();
    expect(elements).toEqual([]);
  });

  it("passes over an element that is too large, and reads the next", () => {
    const seen: string[] = [];
    let oversized = 0;
    const reader = new JsonArrayReader({
      onElement: (element) => seen.push(new TextDecoder().decode(element)),
      elementBytesMax: 10,
      onOversized: () => oversized++,
    });
    reader.push(bytesOf(`[{"a":"${"x".repeat(20)}`));
    reader.push(bytesOf(`"},{"b":1}]`));
    expect([seen, oversized]).toEqual([['{"b":1}'], 1]);
  });

  it("survives a hundred thousand opening brackets", () => {
    expect(read(bytesOf("[".repeat(100_000)), 1000).reader.frame).toBeNull();
  });
});
