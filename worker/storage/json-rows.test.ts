import { describe, expect, it } from "vitest";
import { jsonRows } from "./json-rows.ts";

describe("jsonRows", () => {
  it("is nothing for no rows, and one text for a few", () => {
    expect(jsonRows([])).toEqual([]);
    expect(jsonRows([{ a: 1 }, { a: "]," }])).toEqual(['[{"a":1},{"a":"],"}]']);
  });

  it("splits what is too large for one value, and loses no row", () => {
    const rows = Array.from({ length: 30 }, (_, index) => ({ index, text: "x".repeat(50_000) }));
    const texts = jsonRows(rows);
    expect(texts.length).toBeGreaterThan(2);
    for (const text of texts) expect(text.length).toBeLessThan(600_000);
    expect(texts.flatMap((text) => JSON.parse(text) as object[])).toEqual(rows);
  });
});
