import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvCell, csvHead } from "./csv.ts";

describe("csvCell", () => {
  it.each([
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@A1", "'@A1"],
    ["\t=1", "'\t=1"],
    ["\r=1", '"\'\r=1"'],
    ['say "a,b"', '"say ""a,b"""'],
    ["a=b", "a=b"],
    ["", ""],
    [null, ""],
    [12, "12"],
    [false, "false"],
  ])("writes %j as %j", (value, expected) => {
    expect(csvCell(value)).toBe(expected);
  });

  it("never begins as a formula does, and never leaves its field, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("=", "+", "-", "@", "\t", "\r", "\n", '"', ",", "a") }),
        (text) => {
          const cell = csvCell(text);
          const quoted = /^"((?:[^"]|"")*)"$/.exec(cell);
          const read = quoted === null ? cell : (quoted[1] ?? "").replaceAll('""', '"');
          expect(read).not.toMatch(/^[=+\-@\t\r]/);
          if (quoted === null) expect(cell).not.toMatch(/[",\r\n]/);
          expect([text, `'${text}`]).toContain(read);
        },
      ),
    );
  });
});

describe("csvHead", () => {
  it("ends as a line of CSV does", () => {
    expect(csvHead()).toMatch(/^request_id,.*price_version\r\n$/);
  });
});
