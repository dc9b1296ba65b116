/** What the requests of one isolate share: its mailbox, what it saw of the accounts, and refusals it remembers. */
import type { AccountNews } from "../../durable-objects/account/contract.ts";
import type { KeyNews } from "../../durable-objects/key/contract.ts";
import type { Directory } from "../../worker/domain/account.ts";
import type { AccountId, EpochMs, KeyId, RequestId } from "../../worker/domain/ids.ts";
import type { RefusalReason, Release, TakenLease } from "../../worker/domain/lease.ts";
import type { Admitted, AdmitRequest, Settlement } from "../../worker/domain/permit.ts";
import type { Warrant } from "../../worker/domain/warrant.ts";
import type { Seen } from "../../worker/relay/schedule.ts";
import { HeldWarrants } from "../../worker/relay/warrants.ts";
import type { LeaseAnswer } from "./account-room.ts";
import type { Journey } from "./journey.ts";
import type { Reply } from "./network.ts";
import { Life, start, until, type Task, type Wait } from "./tasks.ts";
import type { World } from "./world.ts";

const GATHER_MS = 50;
const GATHERING_MS_MAX = 2 * GATHER_MS;
const RETRY_MS = [100, 300, 1000, 3000, 8000, 12_000] as const;
const REMEMBERED_MS_MAX = 10_000;
const DIRECTORY_MS = 30_000;
const NEVER: Seen = { active: 0, lastUsedAt: 0 };

type Mutable<News> = { [Part in keyof News]: News[Part] extends readonly (infer Item)[] ? Item[] : never };

export interface Refusal {
  readonly reason: RefusalReason;
  readonly retryAt: EpochMs | null;
}

type Granted = Extract<LeaseAnswer, { kind: "granted" }>;

/** What began and ended in the same box is told as its end. @returns whether its beginning was in there */
function retract(news: { readonly requestId: RequestId }[], requestId: RequestId): boolean {
  const at = news.findIndex((each) => each.requestId === requestId);
  if (at !== -1) news.splice(at, 1);
  return at !== -1;
}

export class Isolate {
  readonly #world: World;
  readonly #seen = new Map<AccountId, Seen>();
  readonly #remembered = new Map<string, Refusal & { readonly until: EpochMs }>();
  keyWarrants = new HeldWarrants<KeyId, Admitted>();
  accountWarrants = new HeldWarrants<AccountId, Granted>();
  #gatheringSince: EpochMs = -Infinity;
  #toKeys = new Map<KeyId, Mutable<KeyNews>>();
  #toAccounts = new Map<AccountId, Mutable<AccountNews>>();
  #directory: { readonly directory: Directory; readonly readAt: EpochMs } | null = null;
  #life = new Life(null, Infinity, () => undefined);

  constructor(world: World) {
    this.#world = world;
  }

  get life(): Life {
    return this.#life;
  }

  readonly seen = (account: AccountId): Seen => this.#seen.get(account) ?? NEVER;

  leased(account: AccountId, active: number): void {
    this.#seen.set(account, { active, lastUsedAt: this.#world.timeline.now() });
  }

  released(account: AccountId): void {
    const { active, lastUsedAt } = this.seen(account);
    this.#seen.set(account, { active: Math.max(0, active - 1), lastUsedAt });
  }

  /** As it was up to 30 s ago. */
  get directory(): Directory {
    const now = this.#world.timeline.now();
    if (this.#directory === null || now - this.#directory.readAt >= DIRECTORY_MS) {
      this.#directory = { directory: this.#world.directory, readAt: now };
    }
    return this.#directory.directory;
  }

  recall(what: string): Refusal | null {
    const known = this.#remembered.get(what);
    return known !== undefined && known.until > this.#world.timeline.now() ? known : null;
  }

  remember(what: string, { reason, retryAt }: Refusal): void {
    if (reason === "full" || retryAt === null) return;
    const end = Math.min(retryAt, this.#world.timeline.now() + REMEMBERED_MS_MAX);
    this.#remembered.set(what, { reason, retryAt, until: end });
  }

  toKey(id: KeyId): Mutable<KeyNews> {
    let news = this.#toKeys.get(id);
    if (news === undefined) {
      news = { admissions: [], settlements: [], checkpoints: [], cancellations: [], withdrawals: [] };
      this.#toKeys.set(id, news);
    }
    return news;
  }

  toAccount(id: AccountId): Mutable<AccountNews> {
    let news = this.#toAccounts.get(id);
    if (news === undefined) {
      news = { taken: [], releases: [], renewals: [], turnsAnswered: [], handOvers: [] };
      this.#toAccounts.set(id, news);
    }
    return news;
  }

  admit(key: KeyId, request: AdmitRequest): void {
    this.toKey(key).admissions.push(request);
  }

  settle(key: KeyId, settlement: Settlement): void {
    const news = this.toKey(key);
    retract(news.admissions, settlement.requestId);
    news.settlements.push(settlement);
  }

  take(account: AccountId, lease: TakenLease): void {
    this.toAccount(account).taken.push(lease);
  }

  release(account: AccountId, release: Release): void {
    const news = this.toAccount(account);
    const { kind } = release.outcome;
    if (kind === "failed" || kind === "disabled") this.accountWarrants.end(account);
    if (retract(news.taken, release.requestId) && (kind === "ok" || kind === "neutral")) return;
    news.releases.push(release);
  }

  /** What is there goes out after a moment, or at once; whoever comes first gathers for all and must live for it. */
  send(journey: Journey): void {
    if (journey.isUrgent) {
      this.sendNow(journey);
      return;
    }
    const now = this.#world.timeline.now();
    if (now - this.#gatheringSince <= GATHERING_MS_MAX) return;
    this.#gatheringSince = now;
    this.#world.timeline.after(GATHER_MS, () => {
      if (!journey.life.takeStep()) return;
      this.#gatheringSince = -Infinity;
      this.sendNow(journey);
    });
  }

  sendNow({ life }: Journey): void {
    if (this.#toKeys.size === 0 && this.#toAccounts.size === 0) return;
    const [keys, accounts] = [this.#toKeys, this.#toAccounts];
    this.#toKeys = new Map();
    this.#toAccounts = new Map();
    const { network } = this.#world;
    for (const [id, news] of keys) {
      const room = this.#world.key(id);
      const call = () =>
        network.call<Warrant | null>(room, (answer) => {
          room.news(news, answer);
        });
      const heard = (warrant: Warrant | null, sentAt: EpochMs) => {
        this.keyWarrants.renew(id, warrant, sentAt);
      };
      start(this.#deliver(call, heard), life, () => undefined);
    }
    for (const [id, news] of accounts) {
      const room = this.#world.account(id);
      const call = () =>
        network.call<Warrant | null>(room, (answer) => {
          room.news(news, answer);
        });
      const heard = (warrant: Warrant | null, sentAt: EpochMs) => {
        this.accountWarrants.renew(id, warrant, sentAt);
      };
      start(this.#deliver(call, heard), life, () => undefined);
    }
  }

  *#deliver(
    call: () => Wait<Reply<Warrant | null>>,
    heard: (warrant: Warrant | null, sentAt: EpochMs) => void,
  ): Task<void> {
    for (const pauseMs of [...RETRY_MS, 0]) {
      const sentAt = this.#world.timeline.now();
      const reply = yield* until(call());
      if (reply.kind === "answer") {
        heard(reply.answer, sentAt);
        return;
      }
      yield* until<void>((resume) => {
        this.#world.timeline.after(pauseMs, resume);
      });
    }
  }

  /** It was thrown out of memory: what it had to say and what it had seen is gone. */
  die(): void {
    this.#life.end();
    this.#life = new Life(null, Infinity, () => undefined);
    this.#gatheringSince = -Infinity;
    this.#toKeys = new Map();
    this.#toAccounts = new Map();
    this.keyWarrants = new HeldWarrants();
    this.accountWarrants = new HeldWarrants();
    this.#seen.clear();
    this.#remembered.clear();
    this.#directory = null;
  }
}
