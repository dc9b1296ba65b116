import { describe, expect, it } from "vitest";
import { hash32 } from "./hash32.ts";

describe("hash32", () => {
  it("spreads names that differ in one digit evenly over few places", () => {
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 4000; i++) {
      const place = hash32(`session-${String(i)}`, 7) % counts.length;
      counts[place] = (counts[place] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(900);
  });

  it("is another hash with another seed, and an unsigned number of 32 bits", () => {
    expect(hash32("a", 1)).not.toBe(hash32("a", 2));
    for (const text of ["", "a", "é多"]) {
      const hash = hash32(text, -1);
      expect(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32).toBe(true);
    }
  });
});
