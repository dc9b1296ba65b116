import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { envFileForWrangler, quote, withVariable } from "./env-file.ts";

describe("quote", () => {
  it.each([
    "plain",
    "k1:AbC+/=",
    "with space",
    "it's",
    `say "hi"`,
    `both ' and "`,
    "#no comment",
    "a$b",
    "back\\slash",
    "",
  ])("survives Node's reader: %s", (value) => {
    expect(parseEnv(`NAME=${quote(value)}`)).toEqual({ NAME: value });
  });

  it("refuses what no quotes can hold", () => {
    expect(() => quote("'\"`")).toThrow("all three quotes");
    expect(() => quote("two\nlines")).toThrow("line break");
  });
});

describe("withVariable", () => {
  it("replaces one line and keeps the rest", () => {
    expect(withVariable("# mine\nA=1\nB=2\n", "A", "$&")).toBe("# mine\nA='$&'\nB=2\n");
  });

  it("adds a line, even after a last line without an end", () => {
    expect(withVariable("A=1", "B", "2")).toBe("A=1\nB=2\n");
  });
});

describe("envFileForWrangler", () => {
  it("keeps a dollar sign from being expanded", () => {
    expect(envFileForWrangler({ A: "a$HOME" })).toBe("A='a\\$HOME'\n");
  });
});
