/** The books of one request as `worker/relay/booking.ts` keeps them: what it tells its key and its accounts, when. */
import type { AccountId } from "../../worker/domain/ids.ts";
import type { AttemptOutcome } from "../../worker/domain/lease.ts";
import { settlementOf } from "../../worker/domain/permit.ts";
import { NO_USAGE, type Outcome, type UsageRecord } from "../../worker/domain/usage.ts";
import type { Journey } from "./journey.ts";
import type { World } from "./world.ts";

const RENEW_EVERY_MS = 30_000;
/** How often a request looks at the clock: `TICK_MS_MAX` of `worker/relay/watch.ts`. */
const TICK_MS = 3000;

export class Booking {
  readonly #world: World;
  readonly #journey: Journey;

  constructor(world: World, journey: Journey) {
    this.#world = world;
    this.#journey = journey;
    this.#tickLater();
  }

  #record(outcome: Outcome): UsageRecord {
    const { requestId, key, model, startedAt, bookedAccount, reading } = this.#journey;
    const { tokens, cost } = reading();
    return {
      requestId,
      keyId: key.id,
      accountId: bookedAccount,
      provider: null,
      protocol: "anthropic",
      model,
      requestedModel: model,
      stream: true,
      status: 200,
      outcome,
      estimated: false,
      startedAt,
      firstByteAt: null,
      endedAt: this.#world.timeline.now(),
      attempts: 1,
      tokens: { ...NO_USAGE, output: tokens },
      serviceTier: null,
      speed: null,
      cost,
      priceVersion: null,
      error: null,
      routing: null,
    };
  }

  /** From a request's beginning to its end, whatever it waits for. */
  #tickLater(): void {
    const jitterMs = this.#journey.number % TICK_MS;
    this.#world.timeline.after(RENEW_EVERY_MS + jitterMs, () => {
      if (this.#journey.isClosed || !this.#journey.life.takeStep()) return;
      this.#renew();
      this.#tickLater();
    });
  }

  #renew(): void {
    const { isolate, key, isMetered, bookedAccount, requestId } = this.#journey;
    if (isMetered) isolate.toKey(key.id).checkpoints.push({ draft: this.#record("lost") });
    if (bookedAccount !== null) isolate.toAccount(bookedAccount).renewals.push(requestId);
    isolate.send(this.#journey);
  }

  attempt(account: AccountId, scarce: boolean): void {
    this.#journey.bookedAccount = account;
    this.#journey.isUrgent ||= scarce;
  }

  turnAnswered(account: AccountId): void {
    const { isolate, requestId } = this.#journey;
    isolate.toAccount(account).turnsAnswered.push(requestId);
    isolate.sendNow(this.#journey);
  }

  /** Gives a lease back; it goes out with what is sent next. */
  release(account: AccountId, outcome: AttemptOutcome): void {
    const { isolate, requestId } = this.#journey;
    this.#journey.isUrgent ||= outcome.kind === "failed" || outcome.kind === "disabled";
    this.#world.accountChecks.stopsUsing(this.#journey);
    this.#world.sessionChecks.ends(this.#journey);
    isolate.release(account, { requestId, outcome, windows: null });
    isolate.released(account);
  }

  giveUp(account: AccountId, outcome: AttemptOutcome): void {
    this.release(account, outcome);
    this.#journey.isolate.send(this.#journey);
  }

  handOver(home: AccountId, to: AccountId): void {
    const { isolate, affinity } = this.#journey;
    if (affinity === null) return;
    isolate.accountWarrants.end(home);
    isolate.toAccount(home).handOvers.push({ affinity, to });
    isolate.send(this.#journey);
  }

  close(outcome: Outcome): void {
    const journey = this.#journey;
    if (journey.isClosed) return;
    if (journey.isMetered) {
      journey.isolate.settle(journey.key.id, settlementOf(this.#record(outcome), "claude"));
    }
    this.dismiss();
  }

  /** Nothing is booked, but what was leased goes back. */
  dismiss(): void {
    this.#journey.isClosed = true;
    this.#world.keyChecks.stopsRunning(this.#journey);
    this.#journey.isolate.send(this.#journey);
  }

  /** The client left while its request waited. */
  leaveQueues(): void {
    const { isolate, key, requestId, asking } = this.#journey;
    isolate.toKey(key.id).cancellations.push(requestId);
    if (asking !== null) isolate.release(asking, { requestId, outcome: { kind: "neutral" }, windows: null });
    isolate.send(this.#journey);
  }
}
