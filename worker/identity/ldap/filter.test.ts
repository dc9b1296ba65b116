import fc from "fast-check";
import { FilterParser, EqualityFilter } from "ldapts";
import { describe, expect, it } from "vitest";
import { escapeFilterValue, fillIn } from "./filter.ts";

describe("fillIn", () => {
  it("A8 makes of any text one value of the filter that it is put into", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 60 }), (text) => {
        const filter = FilterParser.parseString(fillIn("(uid={{username}})", "{{username}}", text));
        expect(filter).toBeInstanceOf(EqualityFilter);
        expect(filter).toMatchObject({ attribute: "uid", value: text });
      }),
      { numRuns: 1000 },
    );
  });

  it("A8 fills every place, and does not read what it has put in", () => {
    const filled = fillIn("(|(uid={{u}})(mail={{u}}))", "{{u}}", "$&{{u}}*");
    expect(filled).toBe("(|(uid=$&{{u}}\\2a)(mail=$&{{u}}\\2a))");
  });
});

describe("escapeFilterValue", () => {
  it("escapes what RFC 4515 says", () => {
    expect(escapeFilterValue("*()\\\0ä")).toBe("\\2a\\28\\29\\5c\\00ä");
  });
});
