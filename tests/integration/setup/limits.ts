/** What tests of a key's limits ask: why a request was refused, how far a limit is used, and what time it is. */
import { vi } from "vitest";
import type { LimitId } from "../../../worker/domain/key-limits.ts";
import type { KeyStatus, LimitStatus } from "../../../worker/domain/key.ts";
import { NANO_PER_DOLLAR } from "../../../worker/domain/money.ts";
import { answer } from "../../upstream/behaviour.ts";
import { eventually, keyStub, upstream, type TestAccount, type TestKey } from "./relay.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export interface Refusal {
  readonly status: number;
  readonly type: string;
  /** Our reason, in `error.code`. */
  readonly code: string | undefined;
  /** In seconds; null: the client is not asked to come back. */
  readonly retryAfter: number | null;
}

export async function refusalOf(response: Response): Promise<Refusal> {
  const { error } = await response.json<{ error: { type: string; code?: string } }>();
  const retryAfter = response.headers.get("retry-after");
  return {
    status: response.status,
    type: error.type,
    code: error.code,
    retryAfter: retryAfter === null ? null : Number(retryAfter),
  };
}

/** From the object itself: the admin's session would not outlive the days that these tests let pass. */
export const statusOf = (key: TestKey): Promise<KeyStatus> =>
  (keyStub(key) as unknown as { status(): Promise<KeyStatus> }).status();

/** The key's state once none of its requests runs any more. */
export const settledStatus = (key: TestKey): Promise<KeyStatus> =>
  eventually(
    () => statusOf(key),
    ({ activePermits, waiting }) => activePermits === 0 && waiting === 0,
  );

export async function limitOf(key: TestKey, id: LimitId): Promise<LimitStatus> {
  const { limits } = await settledStatus(key);
  const limit = limits.find((one) => one.id === id);
  if (limit === undefined) throw new Error(`the key has no limit "${id}"`);
  return limit;
}

/** Stops the clock here until `vi.useRealTimers`. */
export function setNow(at: number): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(at);
}

/** A midnight in UTC, the deployment's zone, that no test reaches by itself. */
export const midnightToCome = (): number => (Math.floor(Date.now() / DAY_MS) + 2) * DAY_MS;

/** Dollars for a million tokens of output of the model that tests ask for. */
const DOLLARS_PER_MTOK = 15;

export const nano = (dollars: number): number => Math.round(dollars * NANO_PER_DOLLAR);

/** From now on each answer of the account costs this much at list price. */
export const costsEach = (account: TestAccount, dollars: number): Promise<void> =>
  upstream.set(
    account.secret,
    answer({ usage: { input_tokens: 0, output_tokens: Math.round((dollars / DOLLARS_PER_MTOK) * 1e6) } }),
  );
