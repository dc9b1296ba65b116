import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { safeToolId, toolNames } from "./tool-names.ts";

describe("safeToolId", () => {
  it("leaves an id that every dialect takes as it is", () => {
    expect(safeToolId("toolu_01AbC-x")).toBe("toolu_01AbC-x");
  });

  it("makes any other into one, the same every time, and keeps different ones apart", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(safeToolId(a)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
        expect(safeToolId(a)).toBe(safeToolId(a));
        expect(safeToolId(a) === safeToolId(b)).toBe(a === b);
      }),
    );
  });
});

describe("toolNames", () => {
  it("finds its way back from every name", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 120 })), (names) => {
        const { toUpstream, toClient } = toolNames(names);
        for (const name of names) {
          expect(toUpstream(name)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
          expect(toClient(toUpstream(name))).toBe(name);
        }
      }),
    );
  });

  it("leaves a name that nobody declared to the same rule", () => {
    expect(toolNames([]).toUpstream("a".repeat(80))).toHaveLength(64);
    expect(toolNames([]).toClient("unheard_of")).toBe("unheard_of");
  });
});
