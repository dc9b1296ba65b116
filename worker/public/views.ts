/** What a key's holder sees: nothing of accounts, groups, routing, or of what is noted of the key. Pure. */
import type { KeyInspection } from "../../durable-objects/key/contract.ts";
import type { EpochMs } from "../domain/ids.ts";
import type { KeyConfig, KeyStatus } from "../domain/key.ts";
import type { UsageView } from "../domain/usage.ts";

export const VALIDITIES = ["active", "disabled", "expired", "not_begun"] as const;
export type Validity = (typeof VALIDITIES)[number];

/** A key that its lifetime from first use has not begun may be used: that begins it. */
export function validityOf(
  { enabled, suspended, activation }: KeyConfig,
  life: KeyStatus,
  now: EpochMs,
): Validity {
  if (!enabled || suspended) return "disabled";
  if (life.expiresAt !== null && life.expiresAt <= now) return "expired";
  return activation !== null && life.activatedAt === null ? "not_begun" : "active";
}

/** Money in nano-dollars, as the admin API has it. */
export const keyCard = ({ config, status }: KeyInspection, timeZone: string, now: EpochMs) => ({
  name: config.name,
  hint: config.hint,
  validity: validityOf(config, status, now),
  createdAt: config.createdAt,
  activatedAt: status.activatedAt,
  activation: config.activation,
  expiresAt: status.expiresAt,
  lastUsedAt: status.lastUsedAt,
  permissions: config.permissions,
  clients: config.clients,
  userAgents: config.userAgents,
  allowedModels: config.allowedModels,
  blockedModels: config.blockedModels,
  rates: config.rates,
  hardBudget: config.hardBudget,
  concurrency: { limit: config.concurrency, active: status.activePermits, waiting: status.waiting },
  windowMinutes: config.windowMinutes,
  limits: status.limits,
  totals: { requests: status.totalRequests, tokens: status.totalTokens, cost: status.totalCost },
  timeZone,
});

export const requestCard = (record: UsageView) => ({
  requestId: record.requestId,
  protocol: record.protocol,
  model: record.model,
  requestedModel: record.requestedModel,
  stream: record.stream,
  status: record.status,
  outcome: record.outcome,
  estimated: record.estimated,
  startedAt: record.startedAt,
  firstByteAt: record.firstByteAt,
  endedAt: record.endedAt,
  tokens: record.tokens,
  cost: record.cost,
  error: record.error,
});
