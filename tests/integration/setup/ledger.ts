/** Records booked straight into the ledger, at times of the test's choosing. */
import { newRequestId, type AccountId, type KeyId } from "../../../worker/domain/ids.ts";
import { NO_USAGE, type TokenUsage, type UsageRecord } from "../../../worker/domain/usage.ts";
import { bookUsage } from "../../../worker/storage/usage-records.ts";
import { env, unique } from "./relay.ts";

export type Given = Omit<Partial<UsageRecord>, "tokens" | "keyId" | "accountId"> & {
  readonly keyId?: string;
  readonly accountId?: string | null;
  readonly tokens?: Partial<TokenUsage>;
};

/** A request that began at `at` and took two seconds, its first byte after half a second. */
export function recordAt(at: number, { tokens, keyId, accountId, ...given }: Given = {}): UsageRecord {
  return {
    requestId: newRequestId(at, crypto.getRandomValues(new Uint8Array(16))),
    keyId: (keyId ?? "key_00000001") as KeyId,
    accountId: (accountId === undefined ? "acc_00000001" : accountId) as AccountId | null,
    provider: "claude-console",
    protocol: "anthropic",
    model: "claude-sonnet-4-5",
    requestedModel: "claude-sonnet-4-5",
    stream: true,
    status: 200,
    outcome: "completed",
    estimated: false,
    startedAt: at,
    firstByteAt: at + 500,
    endedAt: at + 2000,
    attempts: 1,
    tokens: { ...NO_USAGE, input: 10, output: 20, ...tokens },
    serviceTier: null,
    speed: null,
    cost: 1000,
    priceVersion: "test",
    error: null,
    routing: null,
    ...given,
  };
}

export const book = (records: readonly UsageRecord[], timeZone = "UTC"): Promise<void> =>
  bookUsage(env.DB, { sender: unique("sender"), through: 1, records, timeZone });
