/** The accounts' upstreams: who is in trouble, what an attempt comes to, and what a worker makes of it. */
import type { CooldownReason, CooldownScope } from "../../worker/domain/cooldown.ts";
import type { AccountId, EpochMs } from "../../worker/domain/ids.ts";
import type { AttemptOutcome } from "../../worker/domain/lease.ts";
import { familyOf } from "./prices.ts";
import type { Random } from "./random.ts";

interface Sickness {
  readonly reason: CooldownReason;
  readonly scope: CooldownScope;
  /** How long an attempt takes to fail, in ms. */
  readonly failsAfterMs: number;
  /** Share of the attempts that fail. */
  readonly share: number;
  /** Further accounts worth trying, as the provider judges it. */
  readonly switches: number;
  /** The answer names the end of the trouble. */
  readonly namesEnd: boolean;
}

const SICKNESSES = {
  limited: {
    reason: "rate_limited",
    scope: "account",
    failsAfterMs: 200,
    share: 1,
    switches: 2,
    namesEnd: true,
  },
  limitedSilently: {
    reason: "rate_limited",
    scope: "account",
    failsAfterMs: 200,
    share: 1,
    switches: 2,
    namesEnd: false,
  },
  familyLimited: {
    reason: "rate_limited",
    scope: "modelFamily",
    failsAfterMs: 200,
    share: 1,
    switches: 2,
    namesEnd: true,
  },
  overloaded: {
    reason: "overloaded",
    scope: "account",
    failsAfterMs: 300,
    share: 0.8,
    switches: 1,
    namesEnd: false,
  },
  unauthorized: {
    reason: "unauthorized",
    scope: "account",
    failsAfterMs: 400,
    share: 1,
    switches: 2,
    namesEnd: false,
  },
  forbidden: {
    reason: "forbidden",
    scope: "account",
    failsAfterMs: 200,
    share: 1,
    switches: 2,
    namesEnd: false,
  },
  unavailable: {
    reason: "unavailable",
    scope: "account",
    failsAfterMs: 300,
    share: 1,
    switches: 2,
    namesEnd: true,
  },
  failing: {
    reason: "server_error",
    scope: "account",
    failsAfterMs: 1000,
    share: 0.6,
    switches: 2,
    namesEnd: false,
  },
  unreachable: {
    reason: "network",
    scope: "account",
    failsAfterMs: 1500,
    share: 1,
    switches: 2,
    namesEnd: false,
  },
  hanging: {
    reason: "timeout",
    scope: "account",
    failsAfterMs: 60_000,
    share: 0.5,
    switches: 2,
    namesEnd: false,
  },
  withoutModel: {
    reason: "model",
    scope: "model",
    failsAfterMs: 200,
    share: 1,
    switches: 1,
    namesEnd: false,
  },
} as const satisfies Record<string, Sickness>;

export type Trouble = keyof typeof SICKNESSES | "closed";
export const TROUBLES: readonly Trouble[] = [
  ...(Object.keys(SICKNESSES) as (keyof typeof SICKNESSES)[]),
  "closed",
];

export type Attempt =
  | { readonly kind: "answers" }
  | {
      readonly kind: "fails";
      readonly afterMs: number;
      readonly outcome: Extract<AttemptOutcome, { kind: "failed" | "disabled" }>;
      readonly switches: number;
    };

interface Ailment {
  readonly trouble: Trouble;
  readonly until: EpochMs;
  /** What of the account is concerned, where it is not the whole. */
  readonly model: string;
}

const CLOSED: Attempt = {
  kind: "fails",
  afterMs: 200,
  outcome: { kind: "disabled", reason: "closed" },
  switches: 2,
};

export class Upstream {
  readonly #ailments = new Map<AccountId, Ailment>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  strike(account: AccountId, trouble: Trouble, model: string, until: EpochMs): void {
    this.#ailments.set(account, { trouble, model, until });
  }

  attempt(account: AccountId, model: string, now: EpochMs): Attempt {
    const ailment = this.#ailments.get(account);
    if (ailment === undefined || ailment.until <= now) return { kind: "answers" };
    if (ailment.trouble === "closed") return CLOSED;
    const sickness: Sickness = SICKNESSES[ailment.trouble];
    const { scope, reason, failsAfterMs, switches } = sickness;
    const targets = { account: null, modelFamily: familyOf(model), model };
    const concerned = { account: null, modelFamily: familyOf(ailment.model), model: ailment.model };
    if (targets[scope] !== concerned[scope] || !this.#random.chance(sickness.share))
      return { kind: "answers" };
    const until = sickness.namesEnd ? ailment.until : null;
    return {
      kind: "fails",
      afterMs: failsAfterMs,
      outcome: { kind: "failed", scope, target: targets[scope], reason, until, message: "" },
      switches,
    };
  }
}
