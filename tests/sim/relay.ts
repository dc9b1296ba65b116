/** A request's way from its client to an account and back, as `worker/relay/relay.ts` goes it. */
import type { AccountId } from "../../worker/domain/ids.ts";
import type { AttemptOutcome } from "../../worker/domain/lease.ts";
import type { AdmitDecision, AdmitRequest } from "../../worker/domain/permit.ts";
import { Acquisition, type Leased } from "./acquisition.ts";
import { Booking } from "./booking.ts";
import type { Refusal } from "./isolate.ts";
import type { Journey } from "./journey.ts";
import { EVENT_COST, EVENT_TOKENS, FIRST_EVENT_COST, FIRST_EVENT_TOKENS } from "./prices.ts";
import { streamTo, type Answer } from "./stream.ts";
import { both, type Task } from "./tasks.ts";
import type { World } from "./world.ts";

const SWITCHES_MAX = 2;
/** The deployment's default, `QUEUE_TIMEOUT_MS`. */
const QUEUE_TIMEOUT_MS = 30_000;
/** What a request holds back: more events than most answers have. */
const EVENTS_ESTIMATED = 200;
const ESTIMATE = {
  tokens: FIRST_EVENT_TOKENS + EVENTS_ESTIMATED * EVENT_TOKENS,
  cost: FIRST_EVENT_COST + EVENTS_ESTIMATED * EVENT_COST,
};

export type Result = "served" | "refused" | "failed" | "gone";

interface Way {
  readonly world: World;
  readonly journey: Journey;
  readonly answer: Answer;
  readonly booking: Booking;
  readonly acquisition: Acquisition;
}

export function* relay(world: World, journey: Journey, answer: Answer): Task<Result> {
  const booking = new Booking(world, journey);
  const choice = world.plan(journey);
  const acquisition = new Acquisition(world, journey, choice, journey.startedAt + QUEUE_TIMEOUT_MS);
  const way: Way = { world, journey, answer, booking, acquisition };
  journey.onGone = () => {
    booking.leaveQueues();
  };
  const [admission, first] = yield* both(journey.life, admit(way), acquisition.next());
  if (admission?.kind !== "admitted") {
    if (first !== null) booking.release(first.account, { kind: "neutral" });
    booking.dismiss();
    return "refused";
  }
  journey.isUrgent ||= admission.scarce;
  return yield* attemptUntilServed(first, way, admission.allowance);
}

function* admit({ world, journey }: Way): Task<AdmitDecision | null> {
  const { key, requestId, startedAt, model, isMetered, isolate } = journey;
  const request: AdmitRequest = {
    requestId,
    startedAt,
    protocol: "anthropic",
    service: "claude",
    fingerprint: "",
    caller: { client: null, userAgent: "" },
    model,
    stream: true,
    metered: isMetered,
    estimate: ESTIMATE,
  };
  const askedAt = world.timeline.now();
  const known = isolate.keyWarrants.find(key.id, model, askedAt);
  if (known !== null) {
    if (isMetered) enter(request, world, journey);
    return known;
  }
  journey.isWaitingForPermit = isMetered;
  const decision = yield* world.askTwice<AdmitDecision>(key, (answer) => {
    key.admit(request, answer);
  });
  if (decision?.kind === "admitted" && decision.warrant !== null) {
    isolate.keyWarrants.keep(key.id, model, { grant: decision, warrant: decision.warrant }, askedAt);
  }
  return decision;
}

/** Let in under a warrant: the key hears of it in a moment. */
function enter(request: AdmitRequest, world: World, journey: Journey): void {
  world.statistics.enteredFreely++;
  world.keyChecks.entered(request.requestId);
  journey.isolate.admit(journey.key.id, request);
  journey.isolate.send(journey);
}

function* attemptUntilServed(first: Leased | null, way: Way, allowance: number | null): Task<Result> {
  const { journey, booking, acquisition } = way;
  let leased = first;
  for (let switchesLeft = SWITCHES_MAX; ; switchesLeft--) {
    if (leased === null) break;
    const { account } = leased;
    const failure = yield* attempt(leased, way, allowance);
    if (failure === "gone") return "gone";
    if (failure === null) return "served";
    booking.giveUp(account, failure.outcome);
    acquisition.exclude(account, refusalOf(failure.outcome));
    switchesLeft = Math.min(switchesLeft, failure.switches);
    if (switchesLeft <= 0) break;
    journey.onGone = () => {
      booking.leaveQueues();
    };
    leased = yield* acquisition.next();
  }
  booking.close(journey.isClientGone ? "client_gone" : "failed");
  return journey.isClientGone ? "gone" : "failed";
}

type Failed = Extract<AttemptOutcome, { kind: "failed" | "disabled" }>;

const refusalOf = (outcome: Failed): Refusal =>
  outcome.kind === "failed"
    ? { reason: outcome.reason, retryAt: outcome.until }
    : { reason: "disabled", retryAt: null };

/** One account's chance; null: it served. */
function* attempt(
  { account, scarce }: Leased,
  way: Way,
  allowance: number | null,
): Task<{ outcome: Failed; switches: number } | "gone" | null> {
  const { world, journey, booking, acquisition, answer } = way;
  booking.attempt(account, scarce);
  world.sessionChecks.begins(journey, {
    account,
    told: acquisition.told,
    hadReason: acquisition.hadReasonToStray,
  });
  const begunAt = world.timeline.now();
  const result = world.upstream.attempt(account, journey.model, begunAt);
  const startsAfterMs = result.kind === "fails" ? result.afterMs : answer.firstByteMs;
  const left = yield* world.during(journey, startsAfterMs);
  if (left) return leave(account, booking);
  if (journey.isUserTurn) booking.turnAnswered(account);
  if (result.kind === "fails") return result;
  world.statistics.served(journey, account, begunAt);
  stayWith(account, way);
  const ending = yield* streamTo(journey, answer, { world, allowance });
  booking.release(account, OUTCOMES[ending]);
  booking.close(ending === "finished" ? "completed" : ending === "gone" ? "client_gone" : "interrupted");
  return null;
}

function leave(account: AccountId, booking: Booking): "gone" {
  booking.release(account, { kind: "neutral" });
  booking.close("client_gone");
  return "gone";
}

const OUTCOMES = {
  finished: { kind: "ok" },
  gone: { kind: "neutral" },
  stopped: { kind: "neutral" },
  broken: {
    kind: "failed",
    scope: "account",
    target: null,
    reason: "server_error",
    until: null,
    message: "",
  },
} as const satisfies Record<string, AttemptOutcome>;

function stayWith(account: AccountId, { journey, booking, acquisition }: Way): void {
  const { home } = acquisition;
  if (home !== null && journey.affinity !== null && acquisition.shouldMoveTo(account)) {
    booking.handOver(home, account);
  }
}
