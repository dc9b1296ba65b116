/** What people are told of a key: that one of its budgets is nearly spent, or spent. Pure. */
import type { EpochMs } from "../../worker/domain/ids.ts";
import type { KeyConfig, LimitStatus } from "../../worker/domain/key.ts";
import { toDollars } from "../../worker/domain/money.ts";
import { timeText, type Signal } from "../../worker/domain/notice.ts";
import { limitsOf } from "./limits.ts";
import { rolled, type Deployment, type KeyState } from "./state.ts";

/** Told when so much of a budget is spent. */
const NEAR = 0.8;

const BUDGETS: Readonly<Record<LimitStatus["id"], string | null>> = {
  total_cost: "total budget",
  weekly_premium_cost: "weekly budget for premium models",
  weekly_cost: "weekly budget",
  daily_cost: "daily budget",
  // These are about pace: they come and go within a working day.
  window_requests: null,
  window_tokens: null,
  window_cost: null,
};

type Level = "near" | "exhausted" | null;

const levelOf = ({ used, limit }: LimitStatus): Level => {
  if (used >= limit) return "exhausted";
  return used >= NEAR * limit ? "near" : null;
};

/**
 * What is to be told of a change. In one period spending only grows, so each level is passed once in it.
 */
export function noticesOf(
  before: KeyState,
  after: KeyState,
  deployment: Deployment,
  now: EpochMs,
): readonly Signal[] {
  if (before.tallies === after.tallies && before.config === after.config) return [];
  const limitsBefore = limitsIn(rolled(before, deployment, now));
  return limitsIn(rolled(after, deployment, now)).flatMap((limit) => {
    const name = BUDGETS[limit.id];
    const level = levelOf(limit);
    const was = limitsBefore.find(({ id }) => id === limit.id);
    const levelBefore = was === undefined ? null : levelOf(was);
    if (name === null || level === null || level === levelBefore) return [];
    // A budget that was raised: there is more of it than before.
    if (levelBefore === "exhausted") return [];
    return [signalOf(after.config, limit, { name, level, now })];
  });
}

const limitsIn = ({ tallies, reserved, config }: KeyState) => limitsOf(tallies, reserved, config);

const dollars = (nano: number): string => `$${toDollars(nano).toFixed(2)}`;

const ownerOf = ({ booksUsage, ownerId }: KeyConfig) => (booksUsage ? null : ownerId);

function signalOf(
  config: KeyConfig,
  limit: LimitStatus,
  { name: budget, level, now }: { name: string; level: "near" | "exhausted"; now: EpochMs },
): Signal {
  const percent = String(Math.floor((100 * limit.used) / limit.limit));
  const spent = `${dollars(limit.used)} of ${dollars(limit.limit)} (${percent} %)`;
  const reset =
    limit.resetAt === null ? "It does not begin anew." : `It begins anew at ${timeText(limit.resetAt)}.`;
  const isSpent = level === "exhausted";
  const { id, name } = config;
  const owner = ownerOf(config);
  const subject =
    owner === null ? ({ kind: "key", id, name } as const) : ({ kind: "person", id: owner, name } as const);
  const whose = owner === null ? `Key "${name}" has` : `The keys of "${name}" have together`;
  const its = owner === null ? "its" : "their";
  return {
    notice: {
      kind: isSpent ? "key_exhausted" : "key_near_budget",
      severity: isSpent ? "error" : "warning",
      title: `${whose} ${isSpent ? "used up" : "nearly used up"} ${its} ${budget}`,
      lines: [`Spent: ${spent}`, reset],
      at: now,
      subject,
    },
    topic: `key/${id}/${limit.id}/${level}/${String(limit.resetAt)}/${String(limit.limit)}`,
    ends: [],
  };
}
