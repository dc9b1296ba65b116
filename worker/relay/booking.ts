/** The one account of a request: opened with its permit, closed exactly once, on every path. */
import type { AccountId, Affinity, EpochMs, KeyId, RequestId } from "../domain/ids.ts";
import type { LimitWindow } from "../domain/cooldown.ts";
import type { AttemptOutcome, Lease } from "../domain/lease.ts";
import type { Service } from "../domain/service.ts";
import type { NanoDollars } from "../domain/money.ts";
import type { AdmitRequest, Admitted } from "../domain/permit.ts";
import { EMPTY_READING, type Outcome, type UsageReading, type UsageRecord } from "../domain/usage.ts";
import { requestLine } from "../domain/request-log.ts";
import type { SettingValues } from "../domain/settings.ts";
import { settingDefaults } from "../env.ts";
import { priceOf } from "../pricing/price.ts";
import { PRICE_TABLE, type PriceTable } from "../pricing/table.ts";
import { accountsSeen } from "./accounts-seen.ts";
import { mailbox } from "./mailbox.ts";
import type { Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";
import type { Story } from "./story.ts";
import { accountWarrants } from "./warrants.ts";
import { newsOf } from "./windows-seen.ts";

/** Permit and lease live 90 s from their last renewal; a third of that leaves room for two renewals to fail. */
const RENEW_EVERY_MS = 30_000;

export interface Ending {
  readonly outcome: Outcome;
  /** The HTTP status the client got; 499 when it left before one was sent. */
  readonly status: number;
  readonly error: string | null;
}

export class Booking {
  readonly requestId: RequestId;
  readonly startedAt: EpochMs;
  readonly #call: Call;
  readonly #ports: Ports;
  /** The account of the last attempt: whom the record names. */
  #lease: Lease | null = null;
  /** What must be kept alive. */
  #held: Lease | null = null;
  /** What the account of the last attempt was asked for. */
  #askedModel: string;
  #attempts = 0;
  #firstByteAt: EpochMs | null = null;
  #reading: UsageReading = EMPTY_READING;
  /** Where a stream must ask for more or end, in nano-dollars at list price; null: nowhere. */
  allowance: NanoDollars | null = null;
  /** What the key's owner may spend with all their keys together is asked for, too; null: there is no such limit. */
  purse: KeyId | null = null;
  /** What the key must be allowed to use, and by whose rate its budgets count. */
  service: Service;
  /** The model that is meant, after what key and group make of the client's. */
  model: string;
  /** What it is priced by, once the plan has looked. */
  prices: PriceTable = PRICE_TABLE;
  /** The deployment's own, until the plan has looked. */
  settings: SettingValues;
  #windows: readonly LimitWindow[] | null = null;
  #renewedAt: EpochMs;
  #closed = false;
  /** Somebody may be waiting for a slot that this request holds, or must hear of an account's trouble: no delay. */
  #urgent = false;

  constructor(call: Call, ports: Ports) {
    this.#call = call;
    this.#ports = ports;
    this.#askedModel = call.parsed.model;
    this.model = call.parsed.model;
    this.service = call.service;
    this.settings = settingDefaults(ports.env);
    this.requestId = call.requestId;
    this.startedAt = ports.now();
    this.#renewedAt = this.startedAt;
  }

  get story(): Story {
    return this.#call.story;
  }

  get #isMetered(): boolean {
    return this.#call.operation === "generate";
  }

  /** What would be booked if nothing more were heard: the usage seen so far, priced. */
  record(ending: Ending): UsageRecord {
    const reading = this.#reading;
    const model = reading.model ?? this.#askedModel;
    const whole = ending.outcome === "completed" && reading.finished;
    return {
      requestId: this.requestId,
      keyId: this.#call.key.id,
      accountId: this.#lease?.accountId ?? null,
      provider: this.#lease?.provider ?? null,
      protocol: this.#call.protocol.id,
      model,
      requestedModel: this.#call.parsed.model,
      stream: this.#call.parsed.stream,
      status: ending.status,
      outcome: ending.outcome,
      estimated: reading.clamped || (this.#firstByteAt !== null && !(whole && reading.reported)),
      startedAt: this.startedAt,
      firstByteAt: this.#firstByteAt,
      endedAt: this.#ports.now(),
      attempts: this.#attempts,
      tokens: reading.tokens,
      serviceTier: reading.serviceTier,
      speed: reading.speed,
      ...this.#costOf(model),
      error: ending.error,
      routing: this.story.routing,
    };
  }

  /** What the answer has cost so far, in nano-dollars at list price. */
  get cost(): NanoDollars {
    return this.#costOf(this.#reading.model ?? this.#askedModel).cost;
  }

  #costOf(model: string) {
    const { tokens, serviceTier, speed } = this.#reading;
    return priceOf({ tokens, model, serviceTier, speed }, this.startedAt, this.prices);
  }

  admitted({ scarce, waitedMs, allowance, explain }: Admitted): void {
    this.#urgent ||= scarce;
    this.allowance = allowance;
    this.story.isOpen = explain;
    if (waitedMs > 0) this.story.note({ kind: "queued", waitedMs });
  }

  /** Let in under a warrant: the key's object hears of it in a moment. */
  enter(request: AdmitRequest): void {
    if (!request.metered) return;
    mailbox.admit(this.#call.key.id, request);
    this.#send();
  }

  /** Granted, and to be kept alive while the request waits for anything else. */
  hold(lease: Lease): void {
    this.#held = lease;
  }

  /** The request goes to this lease's account now, which is asked for a model by its own name for it. */
  attempt(lease: Lease, model: string): void {
    this.#lease = lease;
    this.#askedModel = model;
    this.#held = lease;
    this.#urgent ||= lease.scarce;
    this.#attempts++;
  }

  /** What an answer says of its account's limits goes out with the lease's release. */
  sawWindows(lease: Lease, windows: readonly LimitWindow[] | null): void {
    this.#windows = newsOf(lease.accountId, windows) ?? this.#windows;
  }

  /** A person's message is being answered: the next one need not wait for the end. */
  turnAnswered(lease: Lease): void {
    mailbox.turnAnswered(lease.accountId, this.requestId);
    mailbox.send(this.#ports, true);
  }

  firstByte(): void {
    this.#firstByteAt ??= this.#ports.now();
  }

  observe(reading: UsageReading): void {
    this.#reading = reading;
  }

  /** Keeps permit and lease alive during a long answer, and notes what was used so far. */
  renewIfDue(): void {
    const now = this.#ports.now();
    if (now - this.#renewedAt < RENEW_EVERY_MS) return;
    this.#renewedAt = now;
    if (this.#isMetered) {
      const draft = this.record({ outcome: "lost", status: 200, error: "worker_lost" });
      mailbox.checkpoint(this.#call.key.id, draft);
      if (this.purse !== null) mailbox.checkpoint(this.purse, draft);
    }
    if (this.#held !== null) mailbox.renew(this.#held.accountId, this.requestId);
    this.#send();
  }

  /** Gives a lease back with what was learnt about its account; it goes out with the close that follows. */
  release(lease: Lease, outcome: AttemptOutcome): void {
    // A client that saw its answer break asks again within milliseconds.
    const failed = outcome.kind === "failed" || outcome.kind === "disabled";
    if (failed) accountWarrants.end(lease.accountId);
    this.#urgent ||= failed;
    mailbox.release(lease.accountId, { requestId: this.requestId, outcome, windows: this.#windows });
    this.#windows = null;
    this.#held = null;
    accountsSeen.released(lease.accountId);
  }

  /** Gives a lease back in the middle of a request, so that the account's trouble is known at once. */
  giveUp(lease: Lease, outcome: AttemptOutcome): void {
    this.release(lease, outcome);
    this.#send();
  }

  /** The session stays with the account that took it over. */
  handOver(home: AccountId, affinity: Affinity, to: AccountId): void {
    this.story.note({ kind: "handed_over", account: to });
    accountWarrants.end(home);
    mailbox.handOver(home, { affinity, to });
    this.#send();
  }

  /** Books the request and sends what is still to be said. Closing twice changes nothing. */
  close(ending: Ending): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#isMetered) {
      const record = this.record(ending);
      mailbox.settle(this.#call.key.id, record, this.service);
      if (this.purse !== null) mailbox.count(this.purse, record, this.service);
      if (this.settings.logRequests) console.log(JSON.stringify(requestLine(record)));
    }
    this.#send();
  }

  /** The client left while its request waited: its places go to the next in line. */
  leaveQueues(account: AccountId | null): void {
    mailbox.cancel(this.#call.key.id, this.requestId);
    if (account !== null)
      mailbox.release(account, {
        requestId: this.requestId,
        outcome: { kind: "neutral" },
        windows: null,
      });
    this.#send();
  }

  /** What one granted and another refused goes back at once: the next request may need it. */
  withdraw(from: KeyId): void {
    this.#urgent = true;
    mailbox.withdraw(from, this.requestId);
    this.#send();
  }

  /** The request was never admitted: nothing is booked, but what was leased goes back. */
  dismiss(): void {
    this.#closed = true;
    this.#send();
  }

  #send(): void {
    // Once its client has left, a worker may be stopped at any moment: nobody should wait for it to gather.
    mailbox.send(this.#ports, this.#urgent || this.#ports.watch.isClientGone);
  }
}
