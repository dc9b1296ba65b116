/** What tests of a key's state machine are made of: configurations, requests and how they end. Pure. */
import type { KeyId, RequestId } from "../../../worker/domain/ids.ts";
import { keyConfigSchema, type KeyConfig } from "../../../worker/domain/key.ts";
import { NANO_PER_DOLLAR } from "../../../worker/domain/money.ts";
import type { AdmitRequest, Settlement } from "../../../worker/domain/permit.ts";
import { NO_USAGE, type UsageRecord } from "../../../worker/domain/usage.ts";
import type { Deployment } from "../state.ts";

/** A Wednesday, at noon in UTC. */
export const NOW = Date.UTC(2030, 2, 13, 12);
export const QUEUE_MS = 10_000;
export const DEPLOYMENT: Deployment = { timeZone: "UTC", queueTimeoutMs: QUEUE_MS, rates: {} };

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export const dollars = (amount: number) => Math.round(amount * NANO_PER_DOLLAR);

const KEY_ID = "key_00000000";

/** A key without any limit. */
export const config = (overrides: Partial<KeyConfig> = {}): KeyConfig => ({
  ...keyConfigSchema.parse({ id: KEY_ID, name: "test", hint: "abcdef", createdAt: NOW, updatedAt: NOW }),
  ...overrides,
});

export const requestId = (number: number) => `req_${String(number).padStart(8, "0")}` as RequestId;

export const ask = (number: number, overrides: Partial<AdmitRequest> = {}): AdmitRequest => ({
  requestId: requestId(number),
  startedAt: NOW,
  protocol: "anthropic",
  service: "claude",
  fingerprint: "",
  caller: { client: null, userAgent: "" },
  model: "claude-sonnet-4-5",
  stream: false,
  metered: true,
  estimate: { tokens: 0, cost: 0 },
  ...overrides,
});

/** A request that may cost this much at most. */
export const askFor = (number: number, cost: number, overrides: Partial<AdmitRequest> = {}) =>
  ask(number, { estimate: { tokens: 0, cost }, ...overrides });

export const record = (number: number, overrides: Partial<UsageRecord> = {}): UsageRecord => ({
  requestId: requestId(number),
  keyId: KEY_ID as KeyId,
  accountId: null,
  provider: null,
  protocol: "anthropic",
  model: "claude-sonnet-4-5",
  requestedModel: "claude-sonnet-4-5",
  stream: false,
  status: 200,
  outcome: "completed",
  estimated: false,
  startedAt: NOW,
  firstByteAt: null,
  endedAt: NOW,
  attempts: 1,
  tokens: NO_USAGE,
  serviceTier: null,
  speed: null,
  cost: 0,
  priceVersion: null,
  error: null,
  routing: null,
  ...overrides,
});

type Ended = Omit<Settlement, "record">;

/** How a request ended, as far as the key's counters go. */
export const ended = (number: number, overrides: Partial<Ended> = {}): Ended => ({
  requestId: requestId(number),
  model: "claude-sonnet-4-5",
  service: "claude",
  tokens: 0,
  cost: 0,
  ...overrides,
});
