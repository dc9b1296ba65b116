/** The yardstick runs with the relay's bindings: a Durable Object that only the relay has would stop every bench. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const read = (path: string) => readFileSync(join(import.meta.dirname, "../..", path), "utf8");
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name).toSorted();

describe("bench/pass-through.ts", () => {
  it("exports every class that wrangler.toml binds", () => {
    const bound = all(read("wrangler.toml"), /^class_name = "(\w+)"/gm);
    expect(all(read("bench/pass-through.ts"), /^export class (\w+) \{\}/gm)).toEqual(bound);
    expect(bound.length).toBeGreaterThan(1);
  });
});
