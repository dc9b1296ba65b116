import { describe, expect, it } from "vitest";
import { enteredProxy, newProxy } from "./proxy.ts";

const PLACE = { type: "socks5", host: "proxy.example", port: 1080, username: "me" } as const;
const BEFORE = { ...PLACE, hasPassword: true };

describe("enteredProxy", () => {
  it("parts the password from what is kept in sight", () => {
    expect(enteredProxy({ ...PLACE, password: "secret" }, null)).toEqual({
      config: BEFORE,
      password: "secret",
    });
  });

  it("changes nothing where nothing was entered, and removes what was emptied", () => {
    expect(enteredProxy(undefined, BEFORE)).toEqual({ config: BEFORE, password: null });
    expect(enteredProxy(null, BEFORE)).toEqual({ config: null, password: null });
  });

  it("keeps the password of the same user of the same proxy", () => {
    expect(enteredProxy({ ...PLACE, password: null }, BEFORE)).toEqual({ config: BEFORE, password: null });
  });

  it.each([{ host: "evil.example" }, { port: 1081 }, { type: "http" as const }, { username: "you" }])(
    "asks for the password again when %j changes",
    (change) => {
      expect(() => enteredProxy({ ...PLACE, ...change, password: null }, BEFORE)).toThrow(
        "proxy.password: is missing beside the user name",
      );
    },
  );

  it("forgets the password with the user", () => {
    const open = { ...PLACE, username: null };
    expect(enteredProxy({ ...open, password: null }, BEFORE)).toEqual({
      config: { ...open, hasPassword: false },
      password: null,
    });
  });
});

describe("newProxy", () => {
  it("refuses half a sign-in", () => {
    expect(() => newProxy({ ...PLACE, password: null })).toThrow("proxy.password");
    expect(newProxy({ ...PLACE, password: "secret" })).toEqual({ ...BEFORE, password: "secret" });
    expect(newProxy(null)).toBeNull();
  });
});
