import { describe, expect, it } from "vitest";
import { newSeed, seedUri, stepOf } from "./totp.ts";

/** "12345678901234567890", of RFC 6238, appendix B. */
const SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

describe("stepOf", () => {
  it.each([
    [59_000, "287082"],
    [1_111_111_109_000, "081804"],
    [1_234_567_890_000, "005924"],
    [20_000_000_000_000, "353130"],
  ])("knows the code of RFC 6238 at %i ms", async (now, code) => {
    expect(await stepOf(SEED, code, now)).toBe(Math.floor(now / 30_000));
  });

  it("allows a clock to be wrong by one period, and no more", async () => {
    const [at, code] = [1_111_111_109_000, "081804"];
    const step = Math.floor(at / 30_000);
    expect(await stepOf(SEED, code, at + 30_000)).toBe(step);
    expect(await stepOf(SEED, code, at - 30_000)).toBe(step);
    expect(await stepOf(SEED, code, at + 60_000)).toBeNull();
    expect(await stepOf(SEED, code, at - 60_000)).toBeNull();
  });
});

describe("newSeed", () => {
  it("has 160 bits, and apps can read it", async () => {
    const seed = await newSeed();
    expect(seed).toMatch(/^[A-Z2-7]{32}$/);
    const uri = new URL(await seedUri(seed, "ada@example.org"));
    expect(uri.protocol).toBe("otpauth:");
    expect(uri.searchParams.get("secret")).toBe(seed);
    expect(uri.searchParams.get("issuer")).toBe("edge-relay");
  });
});
