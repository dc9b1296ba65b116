/** The account object: loads, calls the state machine, keeps what it decided, wakes those who wait. */
import { DurableObject } from "cloudflare:workers";
import type { AccountConfig, AccountStatus } from "../../worker/domain/account.ts";
import type { BalanceAnswer } from "../../worker/domain/balance.ts";
import type { AccountId, EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type { LeaseDecision, LeaseRequest } from "../../worker/domain/lease.ts";
import type { Signal } from "../../worker/domain/notice.ts";
import { WARRANT_MS, type StandsMs, type Warrant } from "../../worker/domain/warrant.ts";
import { parseEnv, type Env } from "../../worker/env.ts";
import { tell } from "../../worker/notify/tell.ts";
import { GroupCommit } from "../group-commit.ts";
import { ObjectSettings } from "../object-settings.ts";
import { RecentIds } from "../recent-ids.ts";
import { WaitingCalls } from "../waiting-calls.ts";
import { Warrants } from "../warrants.ts";
import type {
  AccountContract,
  AccountNews,
  ConfiguredResult,
  ConfigureResult,
  FailurePage,
  RefreshDecision,
} from "./contract.ts";
import { balanceOf } from "./balance.ts";
import { failureIn, FailureHistory } from "./failures.ts";
import { fromRow, isWorthWriting, toRow } from "./persisted.ts";
import { lease, leasesFreely, release, renew, take, turnAnswered, wake, type Woken } from "./leases.ts";
import { noticesOf, refreshFailed, refreshWorks } from "./notices.ts";
import { callProbe } from "./probe-call.ts";
import { learnFromProbe, probeAt, type Probed } from "./probes.ts";
import { AccountSecrets } from "./secrets.ts";
import { SessionPointers } from "./sessions.ts";
import * as machine from "./state.ts";
import { statusOf } from "./status.ts";
import { heedWarning } from "./windows.ts";

const ROW = "state";
/** An alarm is only moved when it would come this much too late, so that most leases set none. */
const ALARM_SLACK_MS = 1000;

const UNKNOWN: LeaseDecision = { kind: "refused", reason: "disabled", retryAt: null, load: 0 };

export class AccountObject extends DurableObject implements AccountContract {
  readonly #env: Env;
  readonly #settings: ObjectSettings;
  readonly #sessions: SessionPointers;
  readonly #failures: FailureHistory;
  readonly #commit: GroupCommit;
  readonly #waiting = new WaitingCalls<Woken["grant"]>(() => {
    this.#wake();
  });
  readonly #released = new RecentIds([]);
  readonly #warrants = new Warrants(() => crypto.randomUUID());
  readonly #secrets: AccountSecrets;
  #state: machine.AccountState | null = null;
  #armedFor: EpochMs = Infinity;

  constructor(ctx: DurableObjectState, rawEnv: Cloudflare.Env) {
    super(ctx, rawEnv);
    this.#env = parseEnv(rawEnv);
    this.#settings = new ObjectSettings(this.#env, ctx);
    this.#sessions = new SessionPointers(ctx.storage.sql, () => this.#settings.current.sessionTtlMs);
    this.#failures = new FailureHistory(ctx.storage.sql);
    this.#secrets = new AccountSecrets(ctx.storage.kv, this.#env, {
      failed: (config, message, isRejected) => {
        this.#refreshFailed(config, message, isRejected);
      },
      works: (config) => {
        this.#tell([refreshWorks(config, Date.now())]);
      },
    });
    this.#commit = new GroupCommit(() => {
      if (this.#state !== null) ctx.storage.kv.put(ROW, toRow(this.#state));
    });
    void ctx.blockConcurrencyWhile(() => this.#load());
  }

  async #load(): Promise<void> {
    await this.#settings.load();
    this.#state = fromRow(this.ctx.storage.kv.get(ROW));
    this.#armedFor = (await this.ctx.storage.getAlarm()) ?? Infinity;
    if (this.#state !== null) await this.#secrets.open(this.#state.config);
  }

  async keysInUse(): Promise<readonly string[]> {
    return this.#secrets.keysInUse;
  }

  async lease(request: LeaseRequest): Promise<LeaseDecision> {
    if (this.#state === null) return UNKNOWN;
    const now = Date.now();
    if (request.home && request.affinity !== null) {
      const livesAt = this.#sessions.find(request.affinity, now) ?? this.#settle(request, now);
      if (livesAt !== null && livesAt !== this.#state.config.id) return { kind: "moved", accountId: livesAt };
    }
    const { state, decision } = lease(this.#state, request, now);
    this.#apply(state);
    if (decision.kind === "refused") return decision;
    const grant = decision.kind === "waiting" ? await this.#waitFor(request.requestId) : decision;
    if (grant.kind === "refused") return grant;
    const waitedMs = decision.kind === "waiting" ? Date.now() - now : 0;
    return this.#handOut(request.requestId, this.#state, waitedMs);
  }

  /** A session that is new here lives where its group's policy put it; whoever comes first decides. */
  #settle({ affinity, place }: LeaseRequest, now: EpochMs): AccountId | null {
    if (place !== null && affinity !== null) this.#sessions.put(affinity, place, now);
    return place;
  }

  /** The credential goes out with the lease; without a usable one there is no lease. */
  async #handOut(
    requestId: RequestId,
    state: machine.AccountState,
    waitedMs: number,
  ): Promise<LeaseDecision> {
    const { config } = state;
    const { keeper, proxy } = this.#secrets;
    const credential = keeper === null ? null : (keeper.current() ?? (await keeper.fresh()));
    if (credential?.kind !== "usable") {
      this.#end(requestId);
      return { kind: "refused", reason: "unauthorized", retryAt: credential?.retryAt ?? null, load: 0 };
    }
    return {
      kind: "granted",
      lease: {
        requestId,
        accountId: config.id,
        provider: config.provider,
        credential: credential.credential,
        credentialVersion: credential.version,
        baseUrl: config.baseUrl,
        proxy,
        scarce: machine.isScarce(state),
        active: state.slotsUsed,
        waitedMs,
      },
      // While the token was waited for, a person may have changed what is handed out here.
      warrant:
        this.#state?.config === config && this.#secrets.keeper === keeper ? this.#warrant(Date.now()) : null,
    };
  }

  /** None while a session that is at home here lives elsewhere: whose request that is only this object knows. */
  #warrant(now: EpochMs): Warrant | null {
    if (this.#state === null || this.#sessions.count > 0) return null;
    const credential = this.#secrets.keeper?.current();
    if (credential?.kind !== "usable") return null;
    const isFree = leasesFreely(this.#state, now + WARRANT_MS);
    return isFree ? this.#warrants.give(now, credential.version) : null;
  }

  #end(requestId: RequestId): void {
    if (this.#state === null) return;
    this.#apply(release(this.#state, { requestId, outcome: { kind: "neutral" }, windows: null }, Date.now()));
    this.#wake();
  }

  #waitFor(requestId: RequestId): Promise<Woken["grant"]> {
    const answer = this.#waiting.wait(requestId);
    this.#armWaitTimer();
    return answer;
  }

  async news(news: AccountNews): Promise<Warrant | null> {
    if (this.#state === null) return null;
    const now = Date.now();
    // Sent again after its answer was lost, a beginning may come after its end.
    const running = news.taken.filter(({ requestId }) => !this.#released.has(requestId));
    let state = take(this.#state, running, now);
    if (news.renewals.length > 0) state = renew(state, news.renewals, now);
    for (const requestId of news.turnsAnswered) state = turnAnswered(state, requestId, now);
    for (const each of news.releases) {
      this.#released.add(each.requestId);
      state = release(state, each, now, this.#settings.current.cooldownSeconds);
      const failure = failureIn(each, now);
      if (failure !== null) this.#failures.add(failure);
      this.#abandon(each.requestId);
    }
    for (const { affinity, to } of news.handOvers) this.#sessions.put(affinity, to, now);
    this.#apply(state);
    this.#wake();
    return this.#warrant(now);
  }

  /** A waiter whose client left is gone from the queue; its call must not hang. */
  #abandon(requestId: RequestId): void {
    this.#waiting.answer(requestId, { kind: "refused", reason: "full", retryAt: null, load: 0 });
  }

  async refresh(version: number, refusedPart: string | null): Promise<RefreshDecision> {
    const keeper = this.#secrets.keeper;
    if (keeper === null) return { kind: "unavailable", message: "This account has no credential." };
    const result = keeper.version === version ? await keeper.refresh(refusedPart) : await keeper.fresh();
    this.#arm();
    if (result.kind === "usable" && result.version !== version) {
      return { kind: "refreshed", credential: result.credential, credentialVersion: result.version };
    }
    const message = result.kind === "unusable" ? result.message : keeper.refreshError;
    return { kind: "unavailable", message: message ?? "The credential was refused and cannot be refreshed." };
  }

  async refreshNow(): Promise<ConfigureResult> {
    if (this.#secrets.keeper?.isRenewable === false) {
      return { kind: "invalid", message: "This account has no refresh token: sign in again to renew it." };
    }
    await this.#secrets.keeper?.retryNow();
    await this.#secrets.keeper?.refresh();
    this.#arm();
    return { kind: "ok" };
  }

  async configure(
    config: AccountConfig,
    credential: unknown,
    proxyPassword: string | null,
  ): Promise<ConfiguredResult> {
    const replaced = await this.#secrets.replace({ config, credential, proxyPassword });
    if (replaced.kind === "invalid") return replaced;
    const state =
      this.#state === null ? machine.emptyState(config) : heedWarning({ ...this.#state, config }, Date.now());
    this.#apply(replaced.isCredentialNew ? machine.reset(state) : state);
    this.#wake();
    const standsMs = this.#warrants.recall(Date.now());
    await this.#commit.written();
    return { kind: "ok", standsMs };
  }

  async reset(): Promise<void> {
    if (this.#state === null) return;
    await this.#secrets.keeper?.retryNow();
    this.#apply(machine.reset(this.#state));
    await this.#commit.written();
  }

  async status(): Promise<AccountStatus | null> {
    if (this.#state === null) return null;
    const now = Date.now();
    this.#apply(machine.sweep(this.#state, now));
    const status = statusOf(this.#state, this.#secrets.keeper, this.#sessions.count, now);
    const reason = this.#secrets.lock;
    return reason === null
      ? status
      : { ...status, availability: { kind: "disabled", reason }, refreshError: reason };
  }

  async failures(page: Parameters<AccountContract["failures"]>[0]): Promise<FailurePage> {
    return this.#failures.page(page, Date.now());
  }

  async forgetFailures(): Promise<void> {
    this.#failures.clear();
  }

  async balance(fresh: boolean): Promise<BalanceAnswer> {
    const baseUrl = this.#state?.config.baseUrl ?? null;
    return balanceOf(this.#secrets, baseUrl, this.ctx.storage.kv, fresh);
  }

  async erase(): Promise<StandsMs> {
    for (const requestId of this.#waiting.requestIds) this.#abandon(requestId);
    this.#state = null;
    this.#secrets.forget();
    this.#sessions.forget();
    this.#failures.forget();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    return this.#warrants.recall(Date.now());
  }

  /** Tidies up; correctness never depends on it, since every call sweeps first. */
  override async alarm(): Promise<void> {
    this.#armedFor = Infinity;
    if (this.#state === null) return;
    const now = Date.now();
    this.#sessions.sweep(now);
    const refreshAt = this.#secrets.keeper?.refreshAt ?? null;
    if (refreshAt !== null && refreshAt <= now && this.#state.config.enabled)
      await this.#secrets.keeper?.refresh();
    if (probeAt(this.#state, now) <= now) await this.#probe();
    this.#wake();
    this.#arm();
  }

  async #probe(): Promise<void> {
    const credential = this.#secrets.keeper?.current();
    if (this.#state === null || this.#secrets.provider === null) return;
    const isReady = credential?.kind === "usable";
    const { config } = this.#state;
    const probe = { baseUrl: config.baseUrl, ...this.#secrets.way };
    this.#learn(
      isReady
        ? await callProbe(this.#secrets.provider, credential.credential, probe)
        : { kind: "failing", message: "There is no usable credential to probe with." },
    );
  }

  /** The account may have been erased while its upstream was asked. */
  #learn(result: Probed): void {
    if (this.#state !== null) this.#apply(learnFromProbe(this.#state, result, Date.now()));
  }

  #apply(state: machine.AccountState): void {
    if (state === this.#state) return;
    if (isWorthWriting(this.#state, state)) this.#commit.schedule();
    if (this.#state !== null) this.#tell(noticesOf(this.#state, state, Date.now()));
    this.#state = state;
    this.#arm();
  }

  #refreshFailed(config: AccountConfig, message: string, isRejected: boolean): void {
    const at = Date.now();
    this.#failures.add({ at, kind: "refresh", status: null, model: null, requestId: null, message });
    this.#tell([refreshFailed(config, message, isRejected, at)]);
  }

  #tell(signals: readonly Signal[]): void {
    if (signals.length > 0) this.ctx.waitUntil(tell(this.#env, signals));
  }

  #wake(): void {
    if (this.#state === null) return;
    const { state, decision } = wake(this.#state, Date.now());
    this.#apply(state);
    for (const { requestId, grant } of decision) this.#waiting.answer(requestId, grant);
    this.#armWaitTimer();
  }

  #armWaitTimer(): void {
    if (this.#state === null) return;
    const now = Date.now();
    const at = this.#state.queue.waiters.length === 0 ? Infinity : machine.nextWakeAt(this.#state, now);
    this.#waiting.wakeAt(at, now);
  }

  #arm(): void {
    if (this.#state === null) return;
    const at = Math.min(
      this.#state.sweepAt,
      this.#secrets.keeper?.refreshAt ?? Infinity,
      probeAt(this.#state, Date.now()),
    );
    if (at === Infinity || at >= this.#armedFor - ALARM_SLACK_MS) return;
    this.#armedFor = at;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(Math.max(at, Date.now())));
  }
}
