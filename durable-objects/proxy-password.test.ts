import { describe, expect, it } from "vitest";
import type { Proxy, ProxyConfig } from "../worker/domain/proxy.ts";
import { parseKeyring } from "../worker/storage/seal.ts";
import { completed, loadProxy, storeProxy } from "./proxy-password.ts";

const CONFIG: ProxyConfig = {
  type: "socks5",
  host: "proxy.example",
  port: 1080,
  username: "me",
  hasPassword: true,
};
const PROXY: Proxy = { ...CONFIG, password: "canary-password" };

function memory() {
  const rows = new Map<string, unknown>();
  const storage = {
    get: (key: string) => rows.get(key),
    put: (key: string, value: unknown) => void rows.set(key, value),
    delete: (key: string) => rows.delete(key),
  } as unknown as SyncKvStorage;
  return { rows, storage };
}

const keyOf = (letter: string) => `${letter}:${btoa(letter.repeat(32))}`;
const place = async (storage: SyncKvStorage, keys = keyOf("a"), owner = "acc_1") => ({
  storage,
  keyring: await parseKeyring(keys),
  owner,
});

describe("storeProxy and loadProxy", () => {
  it("keep the password sealed, and open it again", async () => {
    const { rows, storage } = memory();
    await storeProxy(await place(storage), PROXY);
    expect(JSON.stringify([...rows])).not.toContain("canary-password");
    expect(await loadProxy(await place(storage), CONFIG)).toEqual(PROXY);
  });

  it("seal anew with a newer key", async () => {
    const { rows, storage } = memory();
    await storeProxy(await place(storage), PROXY);
    await loadProxy(await place(storage, `${keyOf("b")},${keyOf("a")}`), CONFIG);
    expect([...rows.values()][0]).toMatch(/^b\./);
  });

  it("do not open what was sealed for another account", async () => {
    const { storage } = memory();
    await storeProxy(await place(storage), PROXY);
    await expect(loadProxy(await place(storage, keyOf("a"), "acc_2"), CONFIG)).rejects.toThrow();
  });

  it("forget the password with the proxy", async () => {
    const { rows, storage } = memory();
    await storeProxy(await place(storage), PROXY);
    await storeProxy(await place(storage), null);
    expect(rows.size).toBe(0);
  });

  it("leave a password that is lost as null, so that a call can say so", async () => {
    const { storage } = memory();
    expect(await loadProxy(await place(storage), CONFIG)).toEqual({ ...CONFIG, password: null });
    expect(await loadProxy(await place(storage), null)).toBeNull();
  });
});

describe("completed", () => {
  it("takes the password that was entered", () => {
    expect(completed(CONFIG, "new", PROXY)).toEqual({ ...PROXY, password: "new" });
  });

  it("keeps the known one for the same user of the same proxy only", () => {
    expect(completed(CONFIG, null, PROXY)).toEqual(PROXY);
    expect(completed({ ...CONFIG, host: "evil.example" }, null, PROXY)).toBeUndefined();
    expect(completed(CONFIG, null, null)).toBeUndefined();
  });

  it("has none where the configuration says so", () => {
    expect(completed(null, null, PROXY)).toBeNull();
    const open = { ...CONFIG, username: null, hasPassword: false };
    expect(completed(open, null, PROXY)).toEqual({ ...open, password: null });
  });
});
