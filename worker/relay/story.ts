/** Notes how a request is routed while it is: for its record, and for its key's holder where that is allowed. */
import type { AccountId } from "../domain/ids.ts";
import type { Routing, RoutingStep } from "../domain/routing.ts";

/** Where a key's holder may read it. */
export const ROUTING_HEADER = "x-relay-routing";

const CANDIDATES_MAX = 10;
/** Attempts are few; an account pool that refuses one after the other is told in its beginning. */
const STEPS_MAX = 30;
const MESSAGE_LENGTH_MAX = 200;
const OMITTED_MAX = 10;
const NAME_LENGTH_MAX = 60;

/** What upstreams say may be long, and what clients call their tools may be anything. */
function shortened(step: RoutingStep): RoutingStep {
  if (step.kind === "failed") return { ...step, message: step.message.slice(0, MESSAGE_LENGTH_MAX) };
  if (step.kind !== "translated") return step;
  return { ...step, omitted: step.omitted.slice(0, OMITTED_MAX).map(plainName) };
}

const plainName = (name: string) => name.replace(/[^\w.[\]-]/g, "_").slice(0, NAME_LENGTH_MAX);

const leftOut = (omitted: readonly string[]) =>
  omitted.length === 0 ? "" : ` without ${omitted.join(", ")}`;

export class Story {
  readonly #steps: RoutingStep[] = [];
  #candidates: readonly AccountId[] = [];
  #home: AccountId | null = null;
  /** The key's holder may see it. */
  isOpen = false;

  ranked(candidates: readonly AccountId[], home: AccountId | null): void {
    this.#candidates = candidates;
    this.#home = home;
  }

  note(step: RoutingStep): void {
    if (this.#steps.length >= STEPS_MAX) return;
    this.#steps.push(shortened(step));
  }

  get routing(): Routing {
    return {
      candidates: this.#candidates.slice(0, CANDIDATES_MAX),
      candidatesTotal: this.#candidates.length,
      home: this.#home,
      steps: this.#steps,
    };
  }

  /** One line for a response header, without what upstreams said. */
  get header(): string {
    const steps = this.#steps.map((step) => {
      switch (step.kind) {
        case "queued":
          return `queued ${String(step.waitedMs)}ms`;
        case "redirected":
          return `asked for ${step.model}`;
        case "translated":
          return `${step.account} translated to ${step.protocol}${leftOut(step.omitted)}`;
        case "refused":
          return `${step.account} refused: ${step.reason}`;
        case "stayed":
          return `${step.account} awaited ${String(step.waitedMs)}ms`;
        case "leased":
          return `${step.account} leased${step.waitedMs > 0 ? ` after ${String(step.waitedMs)}ms` : ""}`;
        case "failed":
          return `${step.account} failed: ${step.reason}`;
        case "moved":
        case "refreshed":
        case "repaired":
        case "handed_over":
          return `${step.account} ${step.kind}`;
      }
    });
    return [`${String(this.#candidates.length)} candidates`, ...steps].join("; ");
  }
}
