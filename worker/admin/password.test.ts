import { describe, expect, it } from "vitest";
import { hashPassword, isPassword } from "./password.ts";

describe("a password", () => {
  it("is known again, and no other is taken for it", async () => {
    const stored = await hashPassword("correct horse battery staple");
    expect(stored).toMatch(/^scrypt\$32768\$8\$3\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/);
    expect(await isPassword("correct horse battery staple", stored)).toBe(true);
    expect(await isPassword("correct horse battery stapl", stored)).toBe(false);
    expect(await isPassword("", stored)).toBe(false);
  });

  it("has a salt of its own", async () => {
    expect(await hashPassword("the same")).not.toBe(await hashPassword("the same"));
  });

  it("is the same however its letters are composed", async () => {
    expect(await isPassword("cafe\u0301 olé olé", await hashPassword("café olé olé"))).toBe(true);
  });

  it("is never right where there is none", async () => {
    expect(await isPassword("", null)).toBe(false);
    expect(await isPassword("A", null)).toBe(false);
  });
});
