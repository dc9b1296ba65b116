import { describe, expect, it } from "vitest";
import {
  credentialSchema,
  describeCredential,
  expiresAt,
  isKeys,
  keyFor,
  withoutKey,
  type DroidKeys,
} from "./credential.ts";

function keysOf(...apiKeys: string[]): DroidKeys {
  const credential = credentialSchema.parse({ apiKeys });
  if (!isKeys(credential)) throw new Error("not keys");
  return credential;
}
const KEYS = keysOf("fk-a", "fk-b", "fk-c");
const SUBJECTS = Array.from({ length: 300 }, (_, i) => `key_1:session-${String(i)}`);
const chosen = (credential: DroidKeys) => SUBJECTS.map((subject) => keyFor(credential, subject)?.apiKey);

describe("a credential of Factory", () => {
  it("is a list of keys, one key, or the tokens of a sign-in", () => {
    expect(keysOf("fk-a", "fk-a", " fk-b ")).toEqual({ apiKeys: ["fk-a", "fk-b"], refused: [] });
    expect(credentialSchema.parse({ apiKey: "fk-a" })).toEqual({ apiKeys: ["fk-a"], refused: [] });
    expect(credentialSchema.parse({ accessToken: "a" })).toEqual({
      accessToken: "a",
      refreshToken: "",
      expiresAt: null,
      organizationId: null,
    });
  });

  it.each([
    ["no keys", { apiKeys: [] }],
    ["more keys than fifty", { apiKeys: Array.from({ length: 51 }, (_, i) => `fk-${String(i)}`) }],
    ["a key that smuggles a header", { apiKeys: ["fk-a", "fk-b\r\nx: y"] }],
    ["keys and tokens together", { apiKeys: ["fk-a"], accessToken: "a" }],
    ["what only the relay may know of keys", { apiKeys: ["fk-a"], refused: [] }],
    ["an organization that is none", { accessToken: "a", organizationId: "a b" }],
  ])("is not %s", (_, wrong) => {
    expect(credentialSchema.safeParse(wrong).success).toBe(false);
  });
});

describe("keyFor", () => {
  it("keeps a conversation on its key, and gives every key its share", () => {
    expect(chosen(KEYS)).toEqual(chosen(KEYS));
    for (const apiKey of KEYS.apiKeys) {
      expect(chosen(KEYS).filter((one) => one === apiKey).length).toBeGreaterThan(60);
    }
  });

  it("moves only the conversations of the key that is refused", () => {
    const rest = withoutKey(KEYS, "1");
    if (rest.kind !== "refreshed" || !isKeys(rest.credential)) throw new Error("no key is left");
    const [before, after] = [chosen(KEYS), chosen(rest.credential)];
    expect(after).not.toContain("fk-b");
    before.forEach((apiKey, at) => {
      if (apiKey !== "fk-b") expect(after[at]).toBe(apiKey);
    });
  });
});

describe("withoutKey", () => {
  it("asks for a person when no key is left, and keeps what it knows", () => {
    const two = { ...KEYS, refused: ["0", "2"] };
    const result = withoutKey(two, "1");
    expect(result).toMatchObject({ kind: "rejected", credential: { refused: ["0", "2", "1"] } });
    expect(keyFor({ ...KEYS, refused: ["0", "2", "1"] }, "x")).toBeNull();
    expect(expiresAt({ ...KEYS, refused: ["0", "2", "1"] })).toBe(0);
    expect(expiresAt(two)).toBeNull();
    expect(describeCredential(two)).toEqual({ refused: "2 of 3 keys" });
  });

  it("counts a key once, and gives all of them another chance when a person asks", () => {
    expect(withoutKey({ ...KEYS, refused: ["1"] }, "1")).toMatchObject({ credential: { refused: ["1"] } });
    expect(withoutKey({ ...KEYS, refused: ["0", "1", "2"] }, null)).toMatchObject({
      kind: "refreshed",
      credential: { refused: [] },
    });
  });
});
