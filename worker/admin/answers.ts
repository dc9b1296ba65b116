/** What the admin API answers, as schemas: for its document, and for whoever reads the answers. */
import { z } from "zod";
import { accountConfigSchema, type AccountStatus, type AccountView } from "../domain/account.ts";
import { auditEntrySchema } from "../domain/audit.ts";
import { PROTECTED_REASONS, type Availability, type Cooldown, type LimitWindow } from "../domain/cooldown.ts";
import { groupSchema } from "../domain/group.ts";
import { accountIdSchema, keyIdSchema, requestIdSchema } from "../domain/ids.ts";
import { keyConfigSchema, type KeyStatus, type KeyView } from "../domain/key.ts";
import { LIMIT_IDS, type LimitId } from "../domain/key-limits.ts";
import { personSchema } from "../domain/person.ts";
import { PROTOCOL_IDS } from "../domain/protocol-id.ts";
import { routingSchema } from "../domain/routing.ts";
import type { RequestView, UsageView } from "../domain/usage.ts";
import { PROXY_ERROR_CODES } from "../net/proxy-error.ts";
import { AUDIT_PROBLEMS, type Verification } from "../storage/audit-verify.ts";
import type { TestResult } from "./test-account.ts";

/** A page of a list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), total: z.number() });

/** Epoch ms, where there is one. */
export const time = z.number().nullable();

const cooldownAnswer = z.object({
  scope: z.enum(["account", "modelFamily", "model"]),
  target: z.string().nullable(),
  reason: z.enum([...PROTECTED_REASONS, "window_warning"]),
  message: z.string(),
  until: z.number(),
  strikes: z.number(),
}) satisfies z.ZodType<Cooldown>;

const availabilityAnswer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("available") }),
  z.object({ kind: z.literal("full"), waiting: z.number() }),
  z.object({ kind: z.literal("cooling"), cooldown: cooldownAnswer }),
  z.object({ kind: z.literal("disabled"), reason: z.string() }),
]) satisfies z.ZodType<Availability>;

const windowAnswer = z.object({
  id: z.string(),
  status: z.enum(["allowed", "warning", "rejected"]).nullable(),
  utilization: z.number().nullable(),
  resetAt: time,
}) satisfies z.ZodType<LimitWindow>;

const accountStatusAnswer = z.object({
  id: accountIdSchema,
  availability: availabilityAnswer,
  cooldowns: z.array(cooldownAnswer),
  windows: z.array(windowAnswer),
  activeLeases: z.number(),
  waiting: z.number(),
  sessions: z.number(),
  /** Masked. */
  credential: z.record(z.string(), z.string()),
  tokenExpiresAt: time,
  lastRefreshAt: time,
  refreshError: z.string().nullable(),
  lastUsedAt: time,
}) satisfies z.ZodType<AccountStatus>;

export const accountAnswer = accountConfigSchema
  .extend({ status: accountStatusAnswer.nullable() })
  .meta({ id: "Account" }) satisfies z.ZodType<AccountView>;

export const testAnswer = z
  .object({
    ok: z.boolean(),
    status: z.number().nullable(),
    latencyMs: z.number(),
    message: z.string(),
    code: z.enum(PROXY_ERROR_CODES).nullable(),
  })
  .meta({ id: "TestResult" }) satisfies z.ZodType<TestResult>;

export const groupAnswer = groupSchema.extend({ accounts: z.array(accountIdSchema) }).meta({ id: "Group" });

const limitAnswer = z.object({
  id: z.enum(LIMIT_IDS) satisfies z.ZodType<LimitId>,
  unit: z.enum(["requests", "tokens", "cost"]),
  limit: z.number(),
  used: z.number(),
  reserved: z.number(),
  resetAt: time,
});

const keyStatusAnswer = z.object({
  activePermits: z.number(),
  waiting: z.number(),
  activatedAt: time,
  expiresAt: time,
  lastUsedAt: time,
  totalRequests: z.number(),
  totalTokens: z.number(),
  totalCost: z.number(),
  limits: z.array(limitAnswer),
}) satisfies z.ZodType<KeyStatus>;

const keyFields = keyConfigSchema
  .omit({ fingerprint: true, previous: true })
  .extend({ previousUntil: time, status: keyStatusAnswer.nullable() });
export const keyAnswer = keyFields.meta({ id: "Key" }) satisfies z.ZodType<KeyView>;
/** With the key's text, which is shown this once. */
export const newKeyAnswer = keyFields.extend({ key: z.string() }).meta({ id: "NewKey" });

const usageFields = z.object({
  requestId: requestIdSchema,
  keyId: keyIdSchema,
  accountId: accountIdSchema.nullable(),
  provider: z.string().nullable(),
  protocol: z.enum(PROTOCOL_IDS),
  model: z.string(),
  requestedModel: z.string(),
  stream: z.boolean(),
  status: z.number(),
  outcome: z.enum(["completed", "client_gone", "interrupted", "failed", "lost"]),
  estimated: z.boolean(),
  startedAt: z.number(),
  firstByteAt: time,
  endedAt: z.number(),
  attempts: z.number(),

  tokens: z.object({
    input: z.number(),
    output: z.number(),
    cacheWrite5m: z.number(),
    cacheWrite1h: z.number(),
    cacheRead: z.number(),
    webSearches: z.number(),
  }),
  serviceTier: z.string().nullable(),
  speed: z.string().nullable(),
  cost: z.number(),
  priceVersion: z.string().nullable(),
  error: z.string().nullable(),
  keyName: z.string().nullable(),
  accountName: z.string().nullable(),
});
export const usageAnswer = usageFields.meta({ id: "UsageRecord" }) satisfies z.ZodType<UsageView>;
export const requestAnswer = usageFields
  .extend({ routing: routingSchema.nullable() })
  .meta({ id: "Request" }) satisfies z.ZodType<RequestView>;

const sums = { requests: z.number(), tokens: z.number(), cost: z.number(), failed: z.number() };
export const overviewAnswer = z
  .object({
    today: z.object(sums),
    hours: z.array(z.object({ ...sums, hour: z.number() })),
    accounts: z.object({
      total: z.number(),
      available: z.number(),
      full: z.number(),
      cooling: z.number(),
      disabled: z.number(),
    }),
    keys: z.object({ total: z.number(), enabled: z.number() }),
  })
  .meta({ id: "Overview" });

export const providersAnswer = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      label: z.string(),
      /** A JSON Schema. */
      credential: z.record(z.string(), z.unknown()),

      needsBaseUrl: z.boolean(),
      oauth: z.boolean(),
    }),
  ),
});

export const signInAnswer = z.object({
  sessionId: z.string(),
  url: z.string(),
  userCode: z.string().nullable(),
  intervalMs: z.number().nullable(),
  expiresAt: z.number(),
});
export const pendingAnswer = z.object({ kind: z.literal("pending"), retryAfterMs: z.number() });

export const personAnswer = personSchema.meta({ id: "Person" });
export const meAnswer = personSchema.pick({ id: true, username: true, name: true, role: true });
export const tokenAnswer = z.object({ token: z.string(), expiresAt: z.number() });
export const okAnswer = z.object({ ok: z.literal(true) });

export const auditEntryAnswer = auditEntrySchema.meta({ id: "AuditEntry" });
export const verificationAnswer = z.discriminatedUnion("ok", [
  z.object({
    ok: z.literal(true),
    through: z.object({ seq: z.number(), hash: z.string() }),
    more: z.boolean(),
  }),
  z.object({ ok: z.literal(false), brokenAt: z.number(), problem: z.enum(AUDIT_PROBLEMS) }),
]) satisfies z.ZodType<Verification>;
