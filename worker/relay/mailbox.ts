/**
 * What this isolate has to tell the objects after the fact: settlements, releases, renewals. Gathered for a few
 * milliseconds, so that many requests share one call, and sent again until an object has answered. Everything in
 * it is idempotent.
 */
import type { AccountNews } from "../../durable-objects/account/contract.ts";
import type { KeyNews } from "../../durable-objects/key/contract.ts";
import type { AccountId, EpochMs, KeyId, RequestId } from "../domain/ids.ts";
import type { HandOver, Release, TakenLease } from "../domain/lease.ts";
import { countOnly, settlementOf, type AdmitRequest } from "../domain/permit.ts";
import type { Service } from "../domain/service.ts";
import type { UsageRecord } from "../domain/usage.ts";
import type { Ports } from "./ports.ts";
import { accountWarrants, keyWarrants } from "./warrants.ts";

/** News are gathered this long, in ms: long enough to share a call under load, short beside any model's answer. */
const GATHER_MS = 50;
/** Pauses before each further try, in ms; together they stay within the 30 s that a worker lives on. */
const RETRY_MS = [100, 300, 1000, 3000, 8000, 12_000] as const;

type Mutable<News> = { [Part in keyof News]: News[Part] extends readonly (infer Item)[] ? Item[] : never };

const keyNews = (): Mutable<KeyNews> => ({
  admissions: [],
  settlements: [],
  checkpoints: [],
  cancellations: [],
  withdrawals: [],
});
const accountNews = (): Mutable<AccountNews> => ({
  taken: [],
  releases: [],
  renewals: [],
  turnsAnswered: [],
  handOvers: [],
});

/** A gatherer whose request was stopped in the middle is not waited for longer than this, in ms. */
const GATHERING_MS_MAX = 2 * GATHER_MS;
/** When somebody began to gather. */
let gatheringSince: EpochMs = -Infinity;

let toKeys = new Map<KeyId, Mutable<KeyNews>>();
let toAccounts = new Map<AccountId, Mutable<AccountNews>>();

function newsFor<Id, News>(box: Map<Id, News>, id: Id, empty: () => News): News {
  let news = box.get(id);
  if (news === undefined) {
    news = empty();
    box.set(id, news);
  }
  return news;
}

/**
 * What began and ended within the same few milliseconds is told as one thing, its end.
 *
 * @returns whether its beginning was still to be told
 */
function retract(news: { readonly requestId: RequestId }[], requestId: RequestId): boolean {
  const at = news.findLastIndex((each) => each.requestId === requestId);
  if (at !== -1) news.splice(at, 1);
  return at !== -1;
}

/** Whether an account learns anything from the end of a lease that it never heard of. */
const teaches = ({ outcome, windows }: Release): boolean =>
  windows !== null || outcome.kind === "failed" || outcome.kind === "disabled";

const isEmpty = (news: AccountNews): boolean =>
  Object.values(news).every((list: readonly unknown[]) => list.length === 0);

export const mailbox = {
  admit(keyId: KeyId, request: AdmitRequest): void {
    newsFor(toKeys, keyId, keyNews).admissions.push(request);
  },
  take(accountId: AccountId, lease: TakenLease): void {
    newsFor(toAccounts, accountId, accountNews).taken.push(lease);
  },
  settle(keyId: KeyId, record: UsageRecord, service: Service): void {
    const news = newsFor(toKeys, keyId, keyNews);
    retract(news.admissions, record.requestId);
    news.settlements.push(settlementOf(record, service));
  },
  /** Like `settle`, for a purse. */
  count(purse: KeyId, record: UsageRecord, service: Service): void {
    newsFor(toKeys, purse, keyNews).settlements.push(countOnly(record, service));
  },
  withdraw(keyId: KeyId, requestId: RequestId): void {
    newsFor(toKeys, keyId, keyNews).withdrawals.push(requestId);
  },
  checkpoint(keyId: KeyId, draft: UsageRecord): void {
    newsFor(toKeys, keyId, keyNews).checkpoints.push({ draft });
  },
  cancel(keyId: KeyId, requestId: RequestId): void {
    newsFor(toKeys, keyId, keyNews).cancellations.push(requestId);
  },
  release(accountId: AccountId, release: Release): void {
    const news = newsFor(toAccounts, accountId, accountNews);
    const isUnheardOf = retract(news.taken, release.requestId);
    if (!isUnheardOf || teaches(release)) news.releases.push(release);
  },
  turnAnswered(accountId: AccountId, requestId: RequestId): void {
    newsFor(toAccounts, accountId, accountNews).turnsAnswered.push(requestId);
  },
  renew(accountId: AccountId, requestId: RequestId): void {
    newsFor(toAccounts, accountId, accountNews).renewals.push(requestId);
  },
  handOver(home: AccountId, handOver: HandOver): void {
    newsFor(toAccounts, home, accountNews).handOvers.push(handOver);
  },

  /**
   * Sends all that is there after a moment, or at once when somebody may be waiting for it. Whoever comes first
   * gathers for everyone; the others have nothing to wait for.
   */
  send(ports: Ports, urgent: boolean): void {
    if (urgent) {
      if (toKeys.size > 0 || toAccounts.size > 0) ports.waitUntil(sendAll(ports));
      return;
    }
    const now = ports.now();
    if (Math.abs(now - gatheringSince) <= GATHERING_MS_MAX) return;
    gatheringSince = now;
    ports.waitUntil(gather(ports));
  },
};

async function gather(ports: Ports): Promise<void> {
  await scheduler.wait(GATHER_MS);
  gatheringSince = -Infinity;
  await sendAll(ports);
}

async function sendAll(ports: Ports): Promise<void> {
  const [keys, accounts] = [toKeys, toAccounts];
  toKeys = new Map();
  toAccounts = new Map();
  await Promise.all([
    ...[...keys].map(([id, news]) =>
      deliver(async () => {
        const sentAt = ports.now();
        keyWarrants.renew(id, await ports.keyObject(id).news(news), sentAt);
      }),
    ),
    ...[...accounts]
      .filter(([, news]) => !isEmpty(news))
      .map(([id, news]) =>
        deliver(async () => {
          const sentAt = ports.now();
          accountWarrants.renew(id, await ports.accountObject(id).news(news), sentAt);
        }),
      ),
  ]);
}

async function deliver(call: () => Promise<void>): Promise<void> {
  for (const pauseMs of RETRY_MS) {
    try {
      await call();
      return;
    } catch {
      // The object restarted, moved or is overloaded: the news is idempotent, so say it again.
      await scheduler.wait(pauseMs);
    }
  }
  await call();
}
