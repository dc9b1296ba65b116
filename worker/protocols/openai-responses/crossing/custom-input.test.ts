import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { INPUT_START, lastInput, readInput } from "./custom-input.ts";

/** The text that arguments come to, cut at these places; and the pieces in which it was told. */
function told(json: string, size: number): { readonly text: string; readonly pieces: readonly string[] } {
  let state = INPUT_START;
  const pieces: string[] = [];
  for (let at = 0; at < json.length; at += size) {
    const [next, text] = readInput(state, json.slice(at, at + size));
    state = next;
    if (text !== "") pieces.push(text);
  }
  pieces.push(lastInput(state));
  return { text: pieces.join(""), pieces };
}

/** As other programs write JSON: every character that is not plain ASCII by its number. */
const escaped = (json: string): string =>
  json.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}`,
  );

const text = fc.string({ unit: "grapheme", maxLength: 40 });

describe("readInput", () => {
  it("gives the same text however the arguments were cut and escaped", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), fc.boolean(), (input, size, byNumber) => {
        const json = JSON.stringify({ input });
        const { text: got, pieces } = told(byNumber ? escaped(json) : json, size);
        expect(got).toBe(input);
        if (byNumber) for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
      }),
    );
  });

  it("tells the text as it arrives", () => {
    expect(told('{"input": "*** Begin\\nPatch"}', 8).pieces).toEqual(["*** B", "egin\nPa", "tch", ""]);
  });

  it("waits for the other half of a character", () => {
    expect(told('{"input":"\\ud83d\\ude00!"}', 1).pieces).toEqual(["😀", "!", ""]);
  });

  it("replaces half a character, which strict clients would refuse", () => {
    expect(told('{"input":"a\\ud83db\\udc00c\\ud83d"}', 3).text).toBe("a\ufffdb\ufffdc\ufffd");
  });

  it("keeps an escape that JSON does not know by its letter", () => {
    expect(told('{"input":"a\\xb\\uzz"}', 2).text).toBe("axbuzz");
  });

  it("finds the text behind other fields once all is there", () => {
    expect(told('{"why":"so","input":"ls"}', 4)).toEqual({ text: "ls", pieces: ["ls"] });
  });

  it.each(["*** Begin Patch", '{"patch":"x"}', '{"input":7}', "null", ""])(
    "takes %j as it is, since it has no such text",
    (raw) => {
      expect(told(raw, 3).text).toBe(raw);
    },
  );

  it("ignores what follows the text", () => {
    expect(told('{"input":"a","more":"b"}', 2).text).toBe("a");
  });
});
