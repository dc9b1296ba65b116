import { describe, expect, it } from "vitest";
import { recoveryCode, recoveryCodeSchema, totpCodeSchema } from "./second-factor.ts";

describe("recoveryCode", () => {
  const random = Uint8Array.from({ length: 16 }, (_, index) => index * 17 + 1);

  it("has four groups of four letters that are not mistaken for others", () => {
    expect(recoveryCode(random)).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/);
  });

  it("is the same however it is typed", () => {
    const code = recoveryCode(new Uint8Array([0, 1, ...random]));
    const typed = code.toUpperCase().replaceAll("-", " ").replaceAll("0", "O").replaceAll("1", "l");
    expect(recoveryCodeSchema.parse(typed)).toBe(recoveryCodeSchema.parse(code));
    expect(recoveryCodeSchema.parse(code)).toBe(code.replaceAll("-", ""));
  });
});

describe("totpCodeSchema", () => {
  it("takes the digits as apps show them", () => {
    expect(totpCodeSchema.parse("012 345")).toBe("012345");
  });

  it.each(["12345", "1234567", "１２３４５６", "12345a", ""])("refuses %j", (text) => {
    expect(totpCodeSchema.safeParse(text).success).toBe(false);
  });
});
