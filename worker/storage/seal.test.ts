import { describe, expect, it } from "vitest";
import { parseKeyring, type Sealed } from "./seal.ts";

const key = (fill: number) => btoa(String.fromCharCode(...new Uint8Array(32).fill(fill)));

describe("a keyring", () => {
  it("opens what it sealed, for the same owner only", async () => {
    const keyring = await parseKeyring(`k1:${key(1)}`);
    const sealed = await keyring.seal("secret ✓", "acc_1");
    expect(await keyring.open(sealed, "acc_1")).toEqual({ plaintext: "secret ✓", stale: false });
    await expect(keyring.open(sealed, "acc_2")).rejects.toThrow();
  });

  it("never shows the secret in the sealed text, nor the same text twice", async () => {
    const keyring = await parseKeyring(`k1:${key(1)}`);
    const [first, second] = [await keyring.seal("secret", "a"), await keyring.seal("secret", "a")];
    expect(first).not.toContain("secret");
    expect(first).not.toBe(second);
  });

  it("opens values of an older key and says that they are stale", async () => {
    const old = await parseKeyring(`k1:${key(1)}`);
    const rotated = await parseKeyring(`k2:${key(2)}, k1:${key(1)}`);
    const sealed = await old.seal("secret", "a");
    expect(await rotated.open(sealed, "a")).toEqual({ plaintext: "secret", stale: true });
    expect((await rotated.seal("secret", "a")).startsWith("k2.")).toBe(true);
  });

  it("refuses an altered value and names a missing key", async () => {
    const keyring = await parseKeyring(`k1:${key(1)}`);
    const sealed = await keyring.seal("secret", "a");
    const altered = (sealed.slice(0, -2) + (sealed.endsWith("AA") ? "BB" : "AA")) as Sealed;
    await expect(keyring.open(altered, "a")).rejects.toThrow();
    await expect(keyring.open(sealed.replace("k1", "k9") as Sealed, "a")).rejects.toThrow(/"k9"/);
  });

  it.each(["", "k1", "k1:", "k1:AAAA", `bad id:${key(1)}`])("refuses the keyring %j", async (text) => {
    await expect(parseKeyring(text)).rejects.toThrow();
  });
});
