import { describe, expect, it } from "vitest";
import { ABSENT, withFields } from "./json-rewrite.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const rewritten = (text: string, changes: Record<string, unknown>) =>
  new TextDecoder().decode(withFields(bytes(text), changes));

describe("withFields", () => {
  it("gives back the very same bytes where nothing has to change", () => {
    const body = bytes('{ "store" : false, "input": [ ] }');
    expect(withFields(body, { store: false, user: ABSENT })).toBe(body);
  });

  it("sets and removes fields and keeps every other value as it was written", () => {
    expect(
      rewritten('{"a": 1.50, "user":"x", "store":true , "深":{"b" : "\\u00e9"}}', {
        store: false,
        user: ABSENT,
      }),
    ).toBe('{"a":1.50,"深":{"b" : "\\u00e9"},"store":false}');
  });

  it("adds what is missing, also to an empty object", () => {
    expect(rewritten("{}", { store: false })).toBe('{"store":false}');
    expect(rewritten('{"user":1}', { user: ABSENT })).toBe("{}");
  });
});
