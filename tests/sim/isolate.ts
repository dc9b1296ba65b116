/** What the requests of one isolate share: its mailbox, what it saw of the accounts, and refusals it remembers. */
import type { AccountNews } from "../../durable-objects/account/contract.ts";
import type { KeyNews } from "../../durable-objects/key/contract.ts";
import type { Directory } from "../../worker/domain/account.ts";
import type { AccountId, EpochMs, KeyId, RequestId } from "../../worker/domain/ids.ts";
import type { RefusalReason } from "../../worker/domain/lease.ts";
import type { Seen } from "../../worker/relay/schedule.ts";
import type { Journey } from "./journey.ts";
import { Life, start, until, type Task } from "./tasks.ts";
import type { World } from "./world.ts";

const GATHER_MS = 25;
const GATHERING_MS_MAX = 4 * GATHER_MS;
const RETRY_MS = [100, 300, 1000, 3000, 8000, 12_000] as const;
const REMEMBERED_MS_MAX = 10_000;
const DIRECTORY_MS = 30_000;
const NEVER: Seen = { active: 0, lastUsedAt: 0 };

type Mutable<News> = { [Part in keyof News]: News[Part] extends readonly (infer Item)[] ? Item[] : never };

export interface Refusal {
  readonly reason: RefusalReason;
  readonly retryAt: EpochMs | null;
}

export class Isolate {
  readonly #world: World;
  readonly #seen = new Map<AccountId, Seen>();
  readonly #remembered = new Map<string, Refusal & { readonly until: EpochMs }>();
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

  release(account: AccountId, requestId: RequestId): void {
    this.toAccount(account).releases.push({ requestId, outcome: { kind: "neutral" }, windows: null });
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
        network.call<null>(room, (answer) => {
          room.news(news, answer);
        });
      start(this.#deliver(call), life, () => undefined);
    }
    for (const [id, news] of accounts) {
      const room = this.#world.account(id);
      const call = () =>
        network.call<null>(room, (answer) => {
          room.news(news, answer);
        });
      start(this.#deliver(call), life, () => undefined);
    }
  }

  *#deliver(call: () => ReturnType<World["network"]["call"]>): Task<void> {
    for (const pauseMs of [...RETRY_MS, 0]) {
      const reply = yield* until(call());
      if (reply.kind === "answer") return;
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
    this.#seen.clear();
    this.#remembered.clear();
    this.#directory = null;
  }
}
