/** The account object: loads, calls the state machine, keeps what it decided, wakes those who wait. */
import { DurableObject } from "cloudflare:workers";
import type { AccountConfig, AccountStatus } from "../../worker/domain/account.ts";
import type { BalanceAnswer } from "../../worker/domain/balance.ts";
import type { AccountId, EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type { LeaseDecision, LeaseRequest } from "../../worker/domain/lease.ts";
import type { Signal } from "../../worker/domain/notice.ts";
import type { Proxy } from "../../worker/domain/proxy.ts";
import { WARRANT_MS, type Warrant } from "../../worker/domain/warrant.ts";
import { clientSecretsOf, networkOf, parseEnv, type Env } from "../../worker/env.ts";
import { dialFor } from "../../worker/net/dialer.ts";
import { createTokenCall } from "../../worker/net/token-call.ts";
import { tell } from "../../worker/notify/tell.ts";
import { PROVIDERS } from "../../worker/providers/index.ts";
import type { Provider } from "../../worker/providers/provider.ts";
import { MissingKey, parseKeyring } from "../../worker/storage/seal.ts";
import { GroupCommit } from "../group-commit.ts";
import { ObjectSettings } from "../object-settings.ts";
import { WaitingCalls } from "../waiting-calls.ts";
import { Warrants } from "../warrants.ts";
import type {
  AccountContract,
  AccountNews,
  ConfigureResult,
  FailurePage,
  RefreshDecision,
} from "./contract.ts";
import { freshBalance, lastBalance } from "./balance.ts";
import { credentialKeyId, CredentialKeeper } from "./credential.ts";
import { readEntered } from "./entered-credential.ts";
import { failureIn, FailureHistory } from "./failures.ts";
import { fromRow, isWorthWriting, toRow } from "./persisted.ts";
import { lease, leasesFreely, release, renew, take, turnAnswered, wake, type Woken } from "./leases.ts";
import { noticesOf, refreshFailed, refreshWorks } from "./notices.ts";
import { callProbe } from "./probe-call.ts";
import { learnFromProbe, probeAt, type Probed } from "./probes.ts";
import { completed, loadProxy, proxyKeyId, storeProxy } from "../proxy-password.ts";
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
  readonly #warrants = new Warrants(() => crypto.randomUUID());
  #state: machine.AccountState | null = null;
  #provider: Provider | null = null;
  #keeper: CredentialKeeper | null = null;
  #proxy: Proxy | null = null;
  /** Why its secrets cannot be opened; null: they can. */
  #lock: string | null = null;
  #armedFor: EpochMs = Infinity;

  constructor(ctx: DurableObjectState, rawEnv: Cloudflare.Env) {
    super(ctx, rawEnv);
    this.#env = parseEnv(rawEnv);
    this.#settings = new ObjectSettings(this.#env, ctx);
    this.#sessions = new SessionPointers(ctx.storage.sql, () => this.#settings.current.sessionTtlMs);
    this.#failures = new FailureHistory(ctx.storage.sql);
    this.#commit = new GroupCommit(() => {
      if (this.#state !== null) ctx.storage.kv.put(ROW, toRow(this.#state));
    });
    void ctx.blockConcurrencyWhile(() => this.#load());
  }

  async #load(): Promise<void> {
    await this.#settings.load();
    this.#state = fromRow(this.ctx.storage.kv.get(ROW));
    this.#armedFor = (await this.ctx.storage.getAlarm()) ?? Infinity;
    if (this.#state === null) return;
    const { config } = this.#state;
    this.#provider = PROVIDERS.get(config.provider) ?? null;
    try {
      await this.#unseal(config);
    } catch (error) {
      if (!(error instanceof MissingKey)) throw error;
      // What is stored stays as it is, and opens when the key is back.
      this.#lock = `This account's credential or proxy password is ${error.message}.`;
    }
  }

  async #unseal(config: AccountConfig): Promise<void> {
    const proxy = await loadProxy(await this.#vault(config), config.proxy);
    if (this.#provider === null) return;
    this.#keeper = await CredentialKeeper.load(await this.#surroundings(config, proxy), this.#provider);
    this.#proxy = proxy;
  }

  /** Waking seals anew what an older key sealed. */
  async keysInUse(): Promise<readonly string[]> {
    const { kv } = this.ctx.storage;
    const ids = [credentialKeyId(kv), proxyKeyId(kv)].filter((id) => id !== null);
    return [...new Set(ids)].sort();
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
    const credential =
      this.#keeper === null ? null : (this.#keeper.current() ?? (await this.#keeper.fresh()));
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
        proxy: this.#proxy,
        scarce: machine.isScarce(state),
        active: state.slotsUsed,
        waitedMs,
      },
      warrant: this.#warrant(Date.now()),
    };
  }

  /** None while a session that is at home here lives elsewhere: whose request that is only this object knows. */
  #warrant(now: EpochMs): Warrant | null {
    if (this.#state === null || this.#sessions.count > 0) return null;
    const credential = this.#keeper?.current();
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
    let state = take(this.#state, news.taken, now);
    if (news.renewals.length > 0) state = renew(state, news.renewals, now);
    for (const requestId of news.turnsAnswered) state = turnAnswered(state, requestId, now);
    for (const each of news.releases) {
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
    const keeper = this.#keeper;
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
    if (this.#keeper?.isRenewable === false) {
      return { kind: "invalid", message: "This account has no refresh token: sign in again to renew it." };
    }
    await this.#keeper?.retryNow();
    await this.#keeper?.refresh();
    this.#arm();
    return { kind: "ok" };
  }

  async configure(
    config: AccountConfig,
    credential: unknown,
    proxyPassword: string | null,
  ): Promise<ConfigureResult> {
    const provider = PROVIDERS.get(config.provider);
    if (provider === undefined) return { kind: "invalid", message: `Unknown provider "${config.provider}".` };
    if (this.#lock !== null && credential === null) return { kind: "invalid", message: this.#lock };
    const proxy = completed(config.proxy, proxyPassword, this.#proxy);
    if (proxy === undefined) return { kind: "invalid", message: "proxy.password: enter it again" };
    const surroundings = await this.#surroundings(config, proxy);
    const context = { ...surroundings.tokenCall, now: Date.now() };
    const entered = credential === null ? null : await readEntered(provider, credential, context);
    if (entered?.kind === "invalid") return entered;
    const keeper =
      entered === null
        ? await CredentialKeeper.load(surroundings, provider)
        : await CredentialKeeper.replace(surroundings, provider, entered.credential, this.#keeper);
    if (keeper === null) return { kind: "invalid", message: "credential: is required" };
    await storeProxy(surroundings, proxy);
    this.#lock = null;
    this.#proxy = proxy;
    this.#keeper = keeper;
    this.#provider = provider;
    const state =
      this.#state === null ? machine.emptyState(config) : heedWarning({ ...this.#state, config }, Date.now());
    this.#apply(entered === null ? state : machine.reset(state));
    this.#wake();
    await Promise.all([this.#commit.written(), scheduler.wait(this.#warrants.recall(Date.now()))]);
    return { kind: "ok" };
  }

  async reset(): Promise<void> {
    if (this.#state === null) return;
    await this.#keeper?.retryNow();
    this.#apply(machine.reset(this.#state));
    await this.#commit.written();
  }

  async status(): Promise<AccountStatus | null> {
    if (this.#state === null) return null;
    const now = Date.now();
    this.#apply(machine.sweep(this.#state, now));
    const status = statusOf(this.#state, this.#keeper, this.#sessions.count, now);
    const reason = this.#lock;
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
    const credential = this.#keeper?.credential;
    const baseUrl = this.#state?.config.baseUrl ?? null;
    const question = credential === undefined ? null : this.#provider?.balance?.(credential, baseUrl);
    if (question === null || question === undefined) return { supported: false };
    const { kv } = this.ctx.storage;
    if (!fresh) return lastBalance(kv);
    const usable = await this.#keeper?.fresh();
    if (usable?.kind !== "usable") return lastBalance(kv, usable?.message ?? null);
    const { credential: current } = usable;
    const call = this.#provider?.balance?.(current, baseUrl) ?? question;
    const network = networkOf(this.#env);
    const way = {
      dial: dialFor(this.#proxy, network),
      allowPrivate: network.allowPrivate,
      credential: current,
    };
    return freshBalance(kv, call, way, Date.now());
  }

  async erase(): Promise<void> {
    for (const requestId of this.#waiting.requestIds) this.#abandon(requestId);
    this.#state = null;
    this.#keeper = null;
    this.#proxy = null;
    this.#sessions.forget();
    this.#failures.forget();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    await scheduler.wait(this.#warrants.recall(Date.now()));
  }

  /** Tidies up; correctness never depends on it, since every call sweeps first. */
  override async alarm(): Promise<void> {
    this.#armedFor = Infinity;
    if (this.#state === null) return;
    const now = Date.now();
    this.#sessions.sweep(now);
    const refreshAt = this.#keeper?.refreshAt ?? null;
    if (refreshAt !== null && refreshAt <= now && this.#state.config.enabled) await this.#keeper?.refresh();
    if (probeAt(this.#state, now) <= now) await this.#probe();
    this.#wake();
    this.#arm();
  }

  async #probe(): Promise<void> {
    const credential = this.#keeper?.current();
    if (this.#state === null || this.#provider === null) return;
    const isReady = credential?.kind === "usable";
    const { config } = this.#state;
    const network = networkOf(this.#env);
    const probe = { baseUrl: config.baseUrl, dial: dialFor(this.#proxy, network), ...network };
    this.#learn(
      isReady
        ? await callProbe(this.#provider, credential.credential, probe)
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
      this.#keeper?.refreshAt ?? Infinity,
      probeAt(this.#state, Date.now()),
    );
    if (at === Infinity || at >= this.#armedFor - ALARM_SLACK_MS) return;
    this.#armedFor = at;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(Math.max(at, Date.now())));
  }

  /** Where the account's secrets are, and what they are sealed with. */
  async #vault(config: AccountConfig) {
    const keyring = await parseKeyring(this.#env.ENCRYPTION_KEYS);
    return { storage: this.ctx.storage.kv, keyring, owner: config.id };
  }

  async #surroundings(config: AccountConfig, proxy: Proxy | null) {
    const call = createTokenCall(networkOf(this.#env), proxy);
    return {
      ...(await this.#vault(config)),
      now: () => Date.now(),
      sleep: (ms: number) => scheduler.wait(ms),
      failed: (message: string, isRejected: boolean) => {
        const at = Date.now();
        this.#failures.add({ at, kind: "refresh", status: null, model: null, requestId: null, message });
        this.#tell([refreshFailed(config, message, isRejected, at)]);
      },
      works: () => {
        this.#tell([refreshWorks(config, Date.now())]);
      },
      tokenCall: {
        tokenUrl: config.tokenUrl,
        baseUrl: config.baseUrl,
        clientSecrets: clientSecretsOf(this.#env),
        call,
      },
    };
  }
}
