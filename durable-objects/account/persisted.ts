/** An account's state as one row: what of it outlives the object's memory. Pure. */
import { z } from "zod";
import { accountConfigSchema } from "../../worker/domain/account.ts";
import { requestIdSchema } from "../../worker/domain/ids.ts";
import { BACK_OFF, type Strike } from "./cooldowns.ts";
import { emptyState, type AccountState } from "./state.ts";

const reasons = Object.keys(BACK_OFF) as [Strike["reason"], ...Strike["reason"][]];

const strikeSchema = z.object({
  scope: z.enum(["account", "modelFamily", "model"]),
  target: z.string().nullable(),
  reason: z.enum(reasons),
  message: z.string(),
  until: z.number(),
  strikes: z.number(),
  lastFailureAt: z.number(),
});

const windowSchema = z.object({
  id: z.string(),
  status: z.enum(["allowed", "warning", "rejected"]).nullable(),
  utilization: z.number().nullable(),
  resetAt: z.number().nullable(),
});

const persistedSchema = z.object({
  config: accountConfigSchema,
  leases: z.array(z.tuple([requestIdSchema, z.number(), z.boolean()])),
  strikes: z.array(z.tuple([z.string(), strikeSchema])),
  windows: z.array(windowSchema).default([]),
  stopped: z.string().nullable(),
  lastUsedAt: z.number().nullable(),
});

/** An account without a limit of slots promises nothing that a restart could break. */
const countsSlots = ({ config }: AccountState): boolean => config.maxConcurrency > 0;

/**
 * Waiters are not kept: their requests end with the object that held them. Nor are leases whose release would not be
 * worth a write: written for another reason, they would come back as held by nobody.
 */
export const toRow = (state: AccountState): z.input<typeof persistedSchema> => ({
  config: state.config,
  leases: countsSlots(state)
    ? [...state.leases].map(([id, held]) => [id, held.deadline, held.takesSlot])
    : [],
  strikes: [...state.strikes],
  windows: [...state.windows],
  stopped: state.stopped,
  lastUsedAt: state.lastUsedAt,
});

export function fromRow(row: unknown): AccountState | null {
  if (row === undefined) return null;
  const stored = persistedSchema.parse(row);
  const leases = stored.leases.map(([id, deadline, takesSlot]) => [id, { deadline, takesSlot }] as const);
  return {
    ...emptyState(stored.config),
    leases: new Map(leases),
    slotsUsed: leases.filter(([, held]) => held.takesSlot).length,
    sweepAt: leases.reduce((soonest, [, held]) => Math.min(soonest, held.deadline), Infinity),
    strikes: new Map(stored.strikes),
    windows: stored.windows,
    stopped: stored.stopped,
    lastUsedAt: stored.lastUsedAt,
  };
}

const USED_PRECISION_MS = 60_000;
const minuteOf = (at: number | null) => Math.floor((at ?? 0) / USED_PRECISION_MS);

/**
 * Whether a change is worth a write. Leases are, where there are slots to protect. The time of last use is, once a
 * minute.
 */
export const isWorthWriting = (before: AccountState | null, after: AccountState): boolean =>
  before?.config !== after.config ||
  before.strikes !== after.strikes ||
  before.stopped !== after.stopped ||
  before.windows !== after.windows ||
  minuteOf(before.lastUsedAt) !== minuteOf(after.lastUsedAt) ||
  (countsSlots(after) && before.leases !== after.leases);
