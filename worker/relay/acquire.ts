/** Gets a lease: asks the ranked accounts in order, follows a session that moved, and waits where all are full. */
import { RelayError, type ErrorFacts } from "../domain/errors.ts";
import type { AccountId, Affinity, EpochMs, RequestId } from "../domain/ids.ts";
import type { Lease, LeaseDecision, LeaseRequest } from "../domain/lease.ts";
import type { Verdict } from "../domain/verdict.ts";
import { accountsSeen } from "./accounts-seen.ts";
import { mailbox } from "./mailbox.ts";
import { askObject, type Ports } from "./ports.ts";
import type { Choice } from "./schedule.ts";
import { BINDING_GONE, explain, type Refusal } from "./refusals.ts";
import type { Story } from "./story.ts";
import { accountWarrants } from "./warrants.ts";

/** Refusals are remembered at most this long, so that an account which a person mends is asked again soon. */
const REMEMBERED_MS_MAX = 10_000;
const REMEMBERED_MAX = 5000;

/** An account that gives warrants would lease itself to whoever asks. */
const ANY_REQUEST = "";

/** Clocks of workers and objects differ a little: who comes back this much later does not come too early. */
const CLOCK_SKEW_MS = 50;

const remembered = new Map<string, Refusal & { readonly until: EpochMs }>();

/** What a call is at one account: the model asked for there, and the limits that it counts against. */
export interface Target {
  readonly model: string;
  readonly modelFamily: string | null;
}

export interface AcquireRequest {
  readonly requestId: RequestId;
  /** Scoped to the model's family: a session may move for one family and stay for another. */
  readonly affinity: Affinity | null;
  readonly targetOf: (account: AccountId) => Target;
  readonly takesSlot: boolean;
  readonly userTurn: boolean;
  readonly choice: Choice;
  /** The account that the key is bound to does not exist any more. */
  readonly isBindingGone: boolean;
  /** Until when to wait for a slot. */
  readonly deadline: EpochMs;
  /** How long a conversation waits for its own account, in ms. */
  readonly patienceMs: number;
}

export type Acquired =
  { readonly kind: "leased"; readonly lease: Lease } | { readonly kind: "none"; readonly error: ErrorFacts };

export class Acquisition {
  readonly #request: AcquireRequest;
  readonly #story: Story;
  readonly #ports: Ports;
  readonly #refusals = new Map<AccountId, Refusal & { readonly load: number }>();
  /** Where the session's home said the session lives now. */
  #movedTo: AccountId | null = null;
  #asking: AccountId | null = null;
  #hasStayed = false;

  constructor(request: AcquireRequest, story: Story, ports: Ports) {
    this.#request = request;
    this.#story = story;
    this.#ports = ports;
  }

  get affinity(): Affinity | null {
    return this.#request.affinity;
  }

  /** The account that is being asked now, perhaps waiting in its queue. */
  get asking(): AccountId | null {
    return this.#asking;
  }

  get home(): AccountId | null {
    return this.#request.choice.home;
  }

  /** The account that serves the session when nothing is wrong. */
  get expected(): AccountId | null {
    return this.#movedTo ?? this.home;
  }

  /** What the call is at an account. */
  targetAt(account: AccountId): Target {
    return this.#request.targetOf(account);
  }

  /** A person's message, whose answer's beginning lets the next one go. */
  get userTurn(): boolean {
    return this.#request.userTurn;
  }

  /** The session should stay where it was served: its account refused it for a reason that lasts. */
  shouldMoveTo(served: AccountId): boolean {
    const { expected } = this;
    if (expected === null || served === expected) return false;
    const refusal = this.#refusals.get(expected);
    return refusal !== undefined && refusal.reason !== "full";
  }

  /** An attempt failed on this account: it is not asked again for this request. */
  exclude(account: AccountId, verdict: Extract<Verdict, { kind: "failover" | "disable" }>): void {
    const [reason, retryAt] =
      verdict.kind === "failover" ? [verdict.reason, verdict.until] : (["disabled", null] as const);
    this.#refusals.set(account, { reason, retryAt, load: 0 });
  }

  async next(): Promise<Acquired> {
    for (;;) {
      const lease = (await this.#stay()) ?? (await this.#askInOrder()) ?? (await this.#waitWhereShortest());
      if (lease === "again") continue;
      if (lease !== null) return { kind: "leased", lease };
      const refusals = [...this.#refusals.values()];
      const isUnbound = refusals.length === 0 && this.#request.isBindingGone;
      return { kind: "none", error: isUnbound ? BINDING_GONE : explain(refusals, this.#ports.now()) };
    }
  }

  /** The session's home is asked first, whatever the order: it knows where the session lives. */
  async #askInOrder(): Promise<Lease | null> {
    const { accounts, home } = this.#request.choice;
    for (const account of home === null ? accounts : new Set([home, ...accounts])) {
      if (this.#refusals.has(account)) continue;
      const lease = (await this.#ask(account, this.#patienceAt(account))) ?? (await this.#stay());
      if (lease !== null) return lease;
    }
    return null;
  }

  /** A person's next message waits a moment for its turn: another account has nothing of the conversation cached. */
  #patienceAt(account: AccountId): number {
    const { userTurn, deadline, patienceMs } = this.#request;
    if (!userTurn || account !== this.expected) return 0;
    return Math.min(patienceMs, deadline - this.#ports.now());
  }

  /** A conversation whose account rests for a moment waits for it: moving would cost its prompt cache. */
  async #stay(): Promise<Lease | null> {
    const { expected } = this;
    const retryAt = expected === null ? null : (this.#refusals.get(expected)?.retryAt ?? null);
    if (expected === null || retryAt === null || this.#hasStayed) return null;
    const waitMs = Math.max(0, retryAt + CLOCK_SKEW_MS - this.#ports.now());
    if (waitMs > this.#request.patienceMs) return null;
    this.#hasStayed = true;
    await scheduler.wait(waitMs);
    this.#ports.watch.throwIfGone();
    this.#story.note({ kind: "stayed", account: expected, waitedMs: waitMs });
    return this.#ask(expected, 0);
  }

  async #ask(account: AccountId, waitMs: number): Promise<Lease | null> {
    const isHome = account === this.home && this.#movedTo === null;
    const known = isHome || waitMs > 0 ? null : this.#recall(account);
    const decision =
      known ??
      (await this.#lease(account, isHome, waitMs).catch((error: unknown) => this.#unheard(account, error)));
    switch (decision.kind) {
      case "granted":
        return this.#granted(decision.lease);
      case "moved":
        this.#story.note({ kind: "moved", account: decision.accountId });
        return this.#follow(account, decision.accountId);
      case "refused": {
        const { reason, retryAt } = decision;
        this.#story.note({ kind: "refused", account, reason, retryAt, remembered: known !== null });
        this.#refusals.set(account, decision);
        this.#remember(account, decision);
        return null;
      }
    }
  }

  #granted(lease: Lease): Lease {
    const { accountId, active, waitedMs } = lease;
    this.#refusals.delete(accountId);
    accountsSeen.leased(accountId, active, this.#ports.now());
    this.#story.note({ kind: "leased", account: accountId, model: this.targetAt(accountId).model, waitedMs });
    return lease;
  }

  /** The home sent the session elsewhere. If that account cannot serve it soon, the others are asked in order. */
  async #follow(home: AccountId, to: AccountId): Promise<Lease | null> {
    this.#movedTo = to;
    const known = this.#refusals.has(to) || !this.#request.choice.accounts.includes(to) || to === home;
    const lease = known ? null : await this.#ask(to, 0);
    return lease ?? (await this.#stay()) ?? this.#ask(home, 0);
  }

  async #lease(account: AccountId, home: boolean, waitMs: number): Promise<LeaseDecision> {
    const { requestId, affinity, takesSlot, userTurn, choice } = this.#request;
    const request: LeaseRequest = {
      requestId,
      affinity,
      ...this.targetAt(account),
      home,
      place: home ? choice.place : null,
      takesSlot,
      userTurn,
      waitMs,
    };
    this.#ports.watch.throwIfGone();
    const askedAt = this.#ports.now();
    const known = request.place === null ? accountWarrants.find(account, ANY_REQUEST, askedAt) : null;
    if (known !== null) return { kind: "granted", lease: this.#take(known), warrant: null };
    this.#asking = account;
    try {
      const decision = await askObject(() => this.#ports.accountObject(account).lease(request));
      if (decision.kind === "granted" && decision.warrant !== null) {
        const { lease: grant, warrant } = decision;
        accountWarrants.keep(account, ANY_REQUEST, { grant, warrant }, askedAt);
      }
      return decision;
    } finally {
      this.#asking = null;
    }
  }

  /** Another lease like the one that came with the account's warrant. */
  #take(like: Lease): Lease {
    const { requestId, takesSlot } = this.#request;
    mailbox.take(like.accountId, { requestId, takesSlot });
    mailbox.send(this.#ports, false);
    const active = accountsSeen.of(like.accountId).active + 1;
    return { ...like, requestId, active, waitedMs: 0 };
  }

  /** Every account refused. Joins the shortest queue of those that are merely full, or the next that has room. */
  async #waitWhereShortest(): Promise<Lease | "again" | null> {
    const full = [...this.#refusals].filter(([, { reason }]) => reason === "full");
    for (const [account] of full.sort(([, a], [, b]) => a.load - b.load)) {
      const waitMs = this.#request.deadline - this.#ports.now();
      if (waitMs <= 0) return null;
      const lease = await this.#ask(account, waitMs);
      if (lease !== null) return lease;
      // It cooled down while we waited: what is left of the time is worth another look at all of them.
      if (this.#refusals.get(account)?.reason !== "full") return "again";
    }
    return null;
  }

  /**
   * An account whose object does not answer is one that cannot serve now; the others can. It may have granted a
   * lease all the same, which goes back.
   */
  #unheard(account: AccountId, error: unknown): LeaseDecision {
    if (!(error instanceof RelayError)) throw error;
    const outcome = { kind: "neutral" } as const;
    mailbox.release(account, { requestId: this.#request.requestId, outcome, windows: null });
    return { kind: "refused", reason: "unavailable", retryAt: null, load: 0 };
  }

  #key(account: AccountId): string {
    const { model, modelFamily } = this.targetAt(account);
    return `${account}/${modelFamily ?? ""}/${model}`;
  }

  #recall(account: AccountId): LeaseDecision | null {
    const refusal = remembered.get(this.#key(account));
    if (refusal === undefined || refusal.until <= this.#ports.now()) return null;
    return { kind: "refused", reason: refusal.reason, retryAt: refusal.retryAt, load: 0 };
  }

  #remember(account: AccountId, { reason, retryAt }: Refusal): void {
    if (reason === "full" || retryAt === null) return;
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    const until = Math.min(retryAt, this.#ports.now() + REMEMBERED_MS_MAX);
    remembered.set(this.#key(account), { reason, retryAt, until });
  }
}
