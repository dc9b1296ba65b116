/** Holds the documentation to what the program has: an option that is not described does not exist for people. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LIMIT_IDS, limitFields } from "../../worker/domain/key-limits.ts";

const keys = readFileSync(join(import.meta.dirname, "../../docs/keys.md"), "utf8");

describe("docs/keys.md", () => {
  it.each(Object.keys(limitFields))("has a row for %s", (field) => {
    expect(keys).toMatch(new RegExp(`^\\| \`${field}\` +\\|`, "m"));
  });

  it("names every limit's refusal, in the order in which they are checked", () => {
    const places = LIMIT_IDS.map((id) => keys.indexOf(`\`${id}\``));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });
});
