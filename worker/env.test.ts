import { describe, expect, it } from "vitest";
import { networkOf, parseEnv } from "./env.ts";

const ENV = {
  KV: {},
  DB: {},
  KEYS: {},
  ACCOUNTS: {},
  NOTIFIER: {},
  CAPTURES: {},
  FEED: {},
  ENCRYPTION_KEYS: "k:x",
  SESSION_SECRET: "s".repeat(32),
  ADMIN_PASSWORD: "password",
};
const TOKEN = "t".repeat(32);

describe("PRICES_URL", () => {
  it("is the public list, another address, or off", () => {
    expect(parseEnv({ ...ENV }).PRICES_URL).toMatch(/^https:\/\/raw\.githubusercontent\.com\/.+\.json$/);
    for (const PRICES_URL of ["off", "https://prices.example/list.json"]) {
      expect(parseEnv({ ...ENV, PRICES_URL }).PRICES_URL).toBe(PRICES_URL);
    }
  });

  it.each(["", "on", "ftp://prices.example/", "file:///etc/passwd"])("is not %j", (PRICES_URL) => {
    expect(() => parseEnv({ ...ENV, PRICES_URL })).toThrow("PRICES_URL: must be an address, or off");
  });
});

describe("the egress forwarder in the environment", () => {
  it("is absent, or whole", () => {
    expect(networkOf(parseEnv({ ...ENV }))).toEqual({ allowPrivate: false, egress: null });
    const whole = { ...ENV, EGRESS_URL: "https://egress.example/", EGRESS_TOKEN: TOKEN };
    expect(networkOf(parseEnv(whole)).egress).toEqual({ url: "https://egress.example/", token: TOKEN });
  });

  it.each([
    [{ EGRESS_URL: "https://egress.example/" }, "EGRESS_TOKEN: is missing beside EGRESS_URL"],
    [{ EGRESS_TOKEN: TOKEN }, "EGRESS_URL: is missing beside EGRESS_TOKEN"],
    [{ EGRESS_URL: "http://egress.example/", EGRESS_TOKEN: TOKEN }, "EGRESS_URL: must begin with https://"],
    [{ EGRESS_URL: "egress.example", EGRESS_TOKEN: TOKEN }, "EGRESS_URL: must be the forwarder's address"],
    [{ EGRESS_URL: "https://egress.example/", EGRESS_TOKEN: "short" }, "EGRESS_TOKEN: "],
  ])("must not be there by half: %j", (egress, message) => {
    expect(() => parseEnv({ ...ENV, ...egress })).toThrow(message);
  });
});
