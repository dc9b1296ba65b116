/** The key object: loads, calls the state machine, keeps what it decided, ships what is booked. */
import { DurableObject } from "cloudflare:workers";
import type { ErrorFacts } from "../../worker/domain/errors.ts";
import type { EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type { KeyConfig, KeyStatus } from "../../worker/domain/key.ts";
import type { NanoDollars } from "../../worker/domain/money.ts";
import type { AdmitDecision, AdmitRequest } from "../../worker/domain/permit.ts";
import { WARRANT_MS, type StandsMs, type Warrant } from "../../worker/domain/warrant.ts";
import { parseEnv, type Env } from "../../worker/env.ts";
import { tell } from "../../worker/notify/tell.ts";
import { GroupCommit } from "../group-commit.ts";
import { ObjectSettings } from "../object-settings.ts";
import { WaitingCalls } from "../waiting-calls.ts";
import { Warrants } from "../warrants.ts";
import { admit, admitsFreely, cancel, wake, type Woken } from "./admission.ts";
import type { KeyContract, KeyInspection, KeyNews, KeyStanding } from "./contract.ts";
import { noticesOf } from "./notices.ts";
import { Outbox } from "./outbox.ts";
import { checkpoint, extend, settleAll, sweep, take, withdraw } from "./permits.ts";
import { RecentIds } from "../recent-ids.ts";
import { exists, isInForce, isLive } from "./rules.ts";
import { Shipping } from "./shipping.ts";
import {
  configure,
  emptyState,
  isScarce,
  nextWakeAt,
  rolled,
  withoutSpending,
  writeBehindMs,
  type Deployment,
  type KeyState,
} from "./state.ts";
import { statusOf } from "./status.ts";
import { KeyStore } from "./store.ts";

const ALREADY_SETTLED: ErrorFacts = {
  code: "conflict",
  message: "This request has ended already.",
  retryAfterMs: null,
};

export class KeyObject extends DurableObject implements KeyContract {
  readonly #env: Env;
  readonly #outbox: Outbox;
  readonly #store: KeyStore;
  readonly #settled: RecentIds;
  readonly #commit: GroupCommit;
  readonly #settings: ObjectSettings;
  readonly #shipping: Shipping;
  readonly #warrants = new Warrants(() => crypto.randomUUID());
  readonly #waiting = new WaitingCalls<Woken["admission"]>(() => {
    this.#sweep(Date.now());
    this.#wake();
  });
  #state: KeyState | null;
  #armedFor: EpochMs = Infinity;

  constructor(ctx: DurableObjectState, rawEnv: Cloudflare.Env) {
    super(ctx, rawEnv);
    this.#env = parseEnv(rawEnv);
    this.#settings = new ObjectSettings(this.#env, ctx);
    this.#outbox = new Outbox(ctx.storage.sql);
    this.#store = new KeyStore(ctx.storage);
    this.#state = this.#store.load();
    this.#settled = new RecentIds(this.#store.settled);
    this.#commit = new GroupCommit(
      () => {
        this.#write();
      },
      () => (this.#state === null ? 0 : writeBehindMs(this.#state)),
    );
    const key = () => this.#state?.config ?? null;
    const [outbox, settings] = [this.#outbox, this.#settings];
    this.#shipping = new Shipping({ env: this.#env, ctx, outbox, settings, key });
    this.#shipping.schedule();
    void ctx.blockConcurrencyWhile(async () => {
      await this.#settings.load();
      this.#armedFor = (await ctx.storage.getAlarm()) ?? Infinity;
      // A restart may have come between a permit's grant and its alarm.
      this.#arm();
    });
  }

  /** Of the settings in force what decisions depend on. */
  get #deployment(): Deployment {
    return this.#settings.current;
  }

  /** The permits, the counters and the records booked: all of them or none. */
  #write(): void {
    this.ctx.storage.transactionSync(() => {
      if (this.#state !== null) this.#store.save(this.#state, this.#settled);
      this.#outbox.write();
    });
    this.#shipping.schedule();
    this.#arm();
  }

  async admit(request: AdmitRequest): Promise<AdmitDecision> {
    if (this.#state === null) {
      return {
        kind: "refused",
        error: { code: "unauthenticated", message: "Invalid API key", retryAfterMs: null },
      };
    }
    // The question came late: what it asked for has ended, and nobody would end it again.
    if (this.#settled.has(request.requestId)) return { kind: "refused", error: ALREADY_SETTLED };
    const now = Date.now();
    this.#sweep(now);
    const { state, decision } = admit(this.#state, request, this.#deployment, now);
    this.#apply(state);
    const admission = decision.kind === "waiting" ? await this.#waitFor(request.requestId) : decision;
    if (admission.kind === "refused") return admission;
    return {
      kind: "admitted",
      scarce: isScarce(this.#state),
      waitedMs: decision.kind === "waiting" ? Date.now() - now : 0,
      allowance: admission.allowance,
      explain: this.#state.config.explain,
      warrant: this.#warrant(now),
    };
  }

  /** For the worker that has just asked, or told news. */
  #warrant(now: EpochMs): Warrant | null {
    if (this.#state === null || !admitsFreely(this.#state, now, now + WARRANT_MS)) return null;
    // A text that was rotated out ends on its own: what it was granted must not be renewed by news of the new one.
    const { previous } = this.#state.config;
    return this.#warrants.give(now, previous !== null && previous.until > now ? previous.until : 0);
  }

  #waitFor(requestId: RequestId): Promise<Woken["admission"]> {
    const answer = this.#waiting.wait(requestId);
    this.#armWaitTimer();
    return answer;
  }

  extend(requestId: RequestId, cost: NanoDollars): Promise<NanoDollars> {
    if (this.#state === null) return Promise.resolve(0);
    const { state, decision } = extend(this.#state, requestId, cost, {
      deployment: this.#deployment,
      now: Date.now(),
    });
    this.#apply(state);
    return Promise.resolve(decision);
  }

  async news(news: KeyNews): Promise<Warrant | null> {
    if (this.#state === null) return null;
    const now = Date.now();
    const running = news.admissions.filter(({ requestId }) => !this.#settled.has(requestId));
    let state = take(this.#state, running, now);
    for (const requestId of news.cancellations) {
      state = cancel(state, requestId);
      this.#abandon(requestId);
    }
    if (news.checkpoints.length > 0) {
      const drafts = news.checkpoints.map(({ draft }) => draft);
      state = checkpoint(state, drafts, now);
    }
    const ended = news.settlements.filter(({ requestId }) => this.#settled.add(requestId));
    state = settleAll(state, ended, this.#deployment, now);
    for (const { record } of ended) this.#book(record);
    if (running.length + ended.length > 0) state = { ...state, lastUsedAt: now };
    for (const requestId of news.withdrawals) {
      if (this.#settled.add(requestId)) state = withdraw(state, requestId);
    }
    this.#tell(state, now);
    this.#apply(state);
    this.#wake();
    const warrant = this.#warrant(now);
    if (news.settlements.length > 0) await this.#commit.written();
    return warrant;
  }

  #book(record: string): void {
    if (this.#state?.config.booksUsage === true) this.#outbox.add(record);
  }

  #abandon(requestId: RequestId): void {
    this.#waiting.answer(requestId, {
      kind: "refused",
      error: { code: "invalid_request", message: "The client left.", retryAfterMs: null },
    });
  }

  /** What the change to this state means for the key's budgets; to be called before it is applied. */
  #tell(state: KeyState, now: EpochMs): void {
    if (this.#state === null) return;
    const signals = noticesOf(this.#state, state, this.#deployment, now);
    if (signals.length > 0) this.ctx.waitUntil(tell(this.#env, signals));
  }

  async configure(config: KeyConfig): Promise<StandsMs> {
    const now = Date.now();
    const state =
      this.#state === null ? emptyState(config) : configure(this.#state, config, this.#deployment, now);
    this.#tell(state, now);
    this.#apply(state);
    return this.#changed();
  }

  async revoke(): Promise<StandsMs> {
    if (this.#state === null) return 0;
    this.#apply({ ...this.#state, revoked: true });
    return this.#changed();
  }

  /** Written at once, so that what is granted by the new rules is not forgotten as late as by the old ones. */
  #changed(): StandsMs {
    this.#wake();
    this.#commit.schedule();
    this.#commit.flush();
    return this.#warrants.recall(Date.now());
  }

  async status(): Promise<KeyStatus | null> {
    const now = Date.now();
    this.#sweep(now);
    if (this.#state === null) return null;
    return statusOf(rolled(this.#state, this.#deployment, now));
  }

  async standing(fingerprint: string): Promise<KeyStanding | null> {
    const found = await this.inspect(fingerprint);
    if (found === null || this.#state === null || !isLive(this.#state, Date.now())) return null;
    const { allowedModels, blockedModels, permissions } = found.config;
    return { ...found.status, allowedModels, blockedModels, permissions };
  }

  async inspect(fingerprint: string): Promise<KeyInspection | null> {
    const status = await this.status();
    if (this.#state === null || status === null || !exists(this.#state)) return null;
    const { config } = this.#state;
    return isInForce(config, fingerprint, Date.now()) ? { config, status } : null;
  }

  async resetUsage(): Promise<void> {
    if (this.#state === null) return;
    this.#apply(withoutSpending(this.#state, this.#deployment, Date.now()));
    this.#wake();
    await this.#commit.written();
  }

  async ship(): Promise<void> {
    this.#commit.flush();
    await this.#shipping.run();
    this.#arm();
  }

  /** Settles dead permits and ships. Late or repeated, it changes nothing: every step is idempotent. */
  override async alarm(): Promise<void> {
    this.#armedFor = Infinity;
    const now = Date.now();
    this.#sweep(now);
    this.#wake();
    if (now >= this.#shipping.at) await this.ship();
    this.#arm();
  }

  #sweep(now: EpochMs): void {
    if (this.#state === null) return;
    const { state, decision: lost } = sweep(this.#state, this.#deployment, now);
    for (const { requestId, record } of lost) {
      this.#settled.add(requestId);
      this.#book(record);
    }
    if (lost.length > 0) this.#tell(state, now);
    this.#apply(state);
    // What a dead worker held may be what somebody waits for.
    if (lost.length > 0) this.#wake();
  }

  #apply(state: KeyState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#commit.schedule();
  }

  #wake(): void {
    if (this.#state === null) return;
    const { state, decision } = wake(this.#state, this.#deployment, Date.now());
    this.#apply(state);
    for (const { requestId, admission } of decision) this.#waiting.answer(requestId, admission);
    this.#armWaitTimer();
  }

  #armWaitTimer(): void {
    if (this.#state === null) return;
    const at = this.#state.queue.waiters.length === 0 ? Infinity : nextWakeAt(this.#state);
    this.#waiting.wakeAt(at, Date.now());
  }

  #arm(): void {
    const at = Math.min(this.#state?.sweepAt ?? Infinity, this.#shipping.at);
    if (at === Infinity || at >= this.#armedFor) return;
    this.#armedFor = at;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(Math.max(at, Date.now())));
  }
}
