/** Compares what the relay booked for a scene with what the fake upstream saw. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { TokenUsage, UsageRecord } from "../../worker/domain/usage.ts";
import type { UsageSums } from "../upstream/control-types.ts";
import type { Check } from "./checks.ts";
import type { FailoverScene, Scene, SceneAccount, Stage } from "./stage.ts";

/** Records reach the ledger about a second after the request; the machine may be busy. */
const BOOKED_TIMEOUT_MS = 20_000;
const POLL_MS = 100;

async function until<Value>(read: () => Promise<Value>, reached: (value: Value) => boolean): Promise<Value> {
  const deadline = Date.now() + BOOKED_TIMEOUT_MS;
  let value = await read();
  while (!reached(value) && Date.now() < deadline) {
    await sleep(POLL_MS);
    value = await read();
  }
  return value;
}

/** Nobody holds a slot of the scene's accounts or of its key any more. */
export async function assertNothingHeld(stage: Stage, scene: Scene): Promise<void> {
  const held = async () => {
    const accounts = await Promise.all(scene.accounts.map(({ id }) => stage.admin.account(id)));
    const key = await stage.admin.key(scene.keyId);
    return [
      ...accounts.map(({ name, status }) => [name, status?.activeLeases, status?.waiting]),
      [key.name, key.status?.activePermits, key.status?.waiting],
    ];
  };
  const isFree = (rows: Awaited<ReturnType<typeof held>>) =>
    rows.every(([, taken, waiting]) => taken === 0 && waiting === 0);
  const rows = await until(held, isFree);
  assert(isFree(rows), `[name, held, waiting] after the end: ${JSON.stringify(rows)}`);
}

/** The records of a scene once all are booked, oldest first. The key's own count says that none is on its way. */
export async function recordsOf(stage: Stage, scene: Scene, count: number): Promise<readonly UsageRecord[]> {
  await assertNothingHeld(stage, scene);
  const { items, total } = await until(
    () => stage.admin.usageOfKey(scene.keyId),
    (page) => page.total >= count,
  );
  assert.equal(total, count, `records in the ledger: ${JSON.stringify(items)}`);
  const key = await stage.admin.key(scene.keyId);
  assert.equal(key.status?.totalRequests, count, "requests that the key counted");
  return items.toReversed();
}

/** What the upstream told its clients in full, for all accounts together. */
async function reportedTokens(stage: Stage, accounts: readonly SceneAccount[]): Promise<TokenUsage> {
  const stats = await Promise.all(accounts.map(({ credential }) => stage.upstream.statsOf(credential)));
  const sum = (field: keyof UsageSums) => stats.reduce((total, { usage }) => total + usage[field], 0);
  return {
    input: sum("inputTokens"),
    output: sum("outputTokens"),
    cacheWrite5m: sum("cacheCreation5mInputTokens"),
    cacheWrite1h: sum("cacheCreation1hInputTokens"),
    cacheRead: sum("cacheReadInputTokens"),
    webSearches: sum("webSearchRequests"),
  };
}

function tokensOf(records: readonly UsageRecord[]): TokenUsage {
  const sum = (field: keyof TokenUsage) => records.reduce((total, { tokens }) => total + tokens[field], 0);
  return {
    input: sum("input"),
    output: sum("output"),
    cacheWrite5m: sum("cacheWrite5m"),
    cacheWrite1h: sum("cacheWrite1h"),
    cacheRead: sum("cacheRead"),
    webSearches: sum("webSearches"),
  };
}

/** Records of whole answers: completed, the upstream's own figures, and the same sums as it reported. */
export async function assertFaithful(
  stage: Stage,
  accounts: readonly SceneAccount[],
  records: readonly UsageRecord[],
): Promise<void> {
  const flaws = records.filter(({ outcome, estimated, status }) => {
    return outcome !== "completed" || estimated || status !== 200;
  });
  assert.deepEqual(flaws, [], "records that are not complete and exact");
  assert.deepEqual(tokensOf(records), await reportedTokens(stage, accounts));
}

/** Every call the accounts got was one request of the client, booked once and exactly. */
export async function assertOneRecordPerCall(stage: Stage, scene: Scene): Promise<readonly UsageRecord[]> {
  const stats = await Promise.all(scene.accounts.map(({ credential }) => stage.upstream.statsOf(credential)));
  const calls = stats.reduce((total, { requests }) => total + requests, 0);
  assert(calls > 0, "the upstream saw no call");
  const records = await recordsOf(stage, scene, calls);
  await assertFaithful(stage, scene.accounts, records);
  return records;
}

/** The check that ends a series of whole calls. */
export const ledgerCheck = (stage: Stage, scene: Scene, whose: string): Check => ({
  name: `the ledger has one exact record for each call of ${whose}, and no slot is held`,
  async run() {
    await assertOneRecordPerCall(stage, scene);
    await assertNothingHeld(stage, scene);
  },
});

const named = (records: readonly UsageRecord[]) =>
  records.map(({ accountId, outcome }) => ({ accountId, outcome }));

/** The client saw its first answer break and asked again, once. */
export async function assertAskedAgain(
  stage: Stage,
  scene: FailoverScene,
  servedBy: "first" | "spare",
): Promise<void> {
  const { requests } = await stage.upstream.statsOf(scene.first.credential);
  assert.equal(requests, servedBy === "first" ? 2 : 1, "calls of the account that fails");
  const records = await recordsOf(stage, scene, 2);
  assert.deepEqual(named(records), [
    { accountId: scene.first.id, outcome: "interrupted" },
    { accountId: scene[servedBy].id, outcome: "completed" },
  ]);
  assert.equal(records[0]?.estimated, true, "the interrupted answer is booked as an estimate");
  await assertFaithful(stage, [scene[servedBy]], records.slice(1));
}

/** The relay saw the failure before the client saw anything, and asked the other account itself. */
export async function assertSpared(stage: Stage, scene: FailoverScene): Promise<void> {
  const { requests } = await stage.upstream.statsOf(scene.first.credential);
  assert.equal(requests, 1, "calls of the account that fails");
  const records = await recordsOf(stage, scene, 1);
  assert.deepEqual(named(records), [{ accountId: scene.spare.id, outcome: "completed" }]);
  await assertFaithful(stage, [scene.spare], records);
}
