import { beforeEach, describe, expect, it } from "vitest";
import { CachedSnapshot } from "./cached-snapshot.ts";
import type { SnapshotContext } from "./snapshots.ts";

interface Value {
  readonly version: number;
  readonly text: string;
}

const NOW = 1_000_000;
const MINUTE_MS = 60_000;
const NOTHING: Value = { version: 0, text: "nothing" };
const value = (version: number): Value => ({ version, text: `of ${String(version)}` });

let stored: unknown;
let reads: number;
let background: Promise<unknown>[];
let snapshot: CachedSnapshot<Value>;

const kv = {
  get: async () => {
    reads++;
    if (stored instanceof Error) throw stored;
    return stored;
  },
  put: async (_name: string, text: string) => {
    stored = JSON.parse(text);
  },
} as unknown as KVNamespace;
const at = (now: number): SnapshotContext => ({ kv, now, waitUntil: (work) => background.push(work) });

beforeEach(() => {
  [stored, reads, background] = [value(1), 0, []];
  snapshot = new CachedSnapshot<Value>({
    name: "test",
    read: (text) => (typeof text === "object" ? (text as Value) : null),
    nothing: NOTHING,
  });
});

describe("CachedSnapshot", () => {
  it("reads once, and gives the same object to everybody after that", async () => {
    const first = await snapshot.find(at(NOW));
    for (let ms = 0; ms < 30_000; ms += 1000) expect(await snapshot.find(at(NOW + ms))).toBe(first);
    expect([reads, background.length]).toEqual([1, 0]);
  });

  it("is read anew beside a request, never before it", async () => {
    await snapshot.find(at(NOW));
    stored = value(2);
    const waiting = [snapshot.find(at(NOW + MINUTE_MS)), snapshot.find(at(NOW + MINUTE_MS))];
    expect((await Promise.all(waiting)).map(({ version }) => version)).toEqual([1, 1]);
    // Of two at once, one reads.
    expect(background).toHaveLength(1);
    await Promise.all(background);
    expect((await snapshot.find(at(NOW + MINUTE_MS))).version).toBe(2);
    expect(reads).toBe(2);
  });

  it("knows nothing before it is read, and then answers without waiting", async () => {
    expect(snapshot.known(at(NOW))).toBeNull();
    await snapshot.find(at(NOW));
    expect(snapshot.known(at(NOW))).toEqual(value(1));
  });

  it("F23 keeps the newest: the edge may still show an older one after a change", async () => {
    await snapshot.put(value(3), at(NOW));
    stored = value(2);
    await snapshot.find(at(NOW + MINUTE_MS));
    await Promise.all(background);
    expect((await snapshot.find(at(NOW + MINUTE_MS))).version).toBe(3);
  });

  it("keeps the last when it cannot be read", async () => {
    await snapshot.find(at(NOW));
    stored = new Error("KV is not there");
    await snapshot.find(at(NOW + MINUTE_MS));
    await Promise.all(background);
    expect((await snapshot.find(at(NOW + MINUTE_MS))).version).toBe(1);
  });

  it.each([[null], ["nonsense"]])("is nothing where there is %j", async (text) => {
    stored = text;
    expect(await snapshot.find(at(NOW))).toEqual(NOTHING);
  });

  it("is written where KV has another version, or nothing readable, and only there", async () => {
    await snapshot.putMissing(value(1), at(NOW));
    expect(stored).toEqual(value(1));
    await snapshot.putMissing(value(2), at(NOW));
    expect(stored).toEqual(value(2));
    stored = null;
    await snapshot.putMissing(NOTHING, at(NOW));
    expect(stored).toBeNull();
    stored = "nonsense";
    await snapshot.putMissing(NOTHING, at(NOW));
    expect(stored).toEqual(NOTHING);
  });
});
