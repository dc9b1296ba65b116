import { describe, expect, it } from "vitest";
import { maskCredential } from "./mask.ts";

describe("maskCredential", () => {
  it("shows the ends of a long secret, and less of shorter ones", () => {
    expect(
      maskCredential({
        long: "abcdef-secret-of-somebody-wxyz",
        short: "0123456789",
        tiny: "1234567",
        none: "",
      }),
    ).toEqual({ long: "abcdef…wxyz", short: "••••89", tiny: "••••" });
  });

  it("shows the first three of a list, and how many more there are", () => {
    const list = ["1", "2", "3", "4", "5"].map((end) => `fk-key-of-the-account-000${end}`);
    expect(maskCredential({ apiKeys: list.slice(0, 2), empty: [], numbers: [1, 2] })).toEqual({
      apiKeys: "fk-key…0001, fk-key…0002",
    });
    expect(maskCredential({ apiKeys: list })["apiKeys"]).toBe(
      "fk-key…0001, fk-key…0002, fk-key…0003 and 2 more",
    );
  });

  it("shows nothing of what is no object", () => {
    expect(maskCredential(null)).toEqual({});
    expect(maskCredential("secret")).toEqual({});
  });
});
