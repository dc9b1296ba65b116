/** What the admin API answers, as schemas: for its document, and for whoever reads the answers. */
import { z } from "zod";
import { accountFailureSchema } from "../domain/account-failure.ts";
import { accountConfigSchema, type AccountStatus, type AccountView } from "../domain/account.ts";
import { auditEntrySchema } from "../domain/audit.ts";
import { PROTECTED_REASONS, type Availability, type Cooldown, type LimitWindow } from "../domain/cooldown.ts";
import { groupSchema } from "../domain/group.ts";
import { accountIdSchema, keyIdSchema, requestIdSchema } from "../domain/ids.ts";
import { keyConfigSchema, type KeyStatus, type KeyView } from "../domain/key.ts";
import { LIMIT_IDS, type LimitId } from "../domain/key-limits.ts";
import { PROTOCOL_IDS } from "../domain/protocol-id.ts";
import { sharedProxyViewSchema } from "../domain/shared-proxy.ts";
import { routingSchema } from "../domain/routing.ts";
import type { RequestView, UsageView } from "../domain/usage.ts";
import { PROXY_ERROR_CODES } from "../net/proxy-error.ts";
import { AUDIT_PROBLEMS, type Verification } from "../storage/audit-verify.ts";
import { SIGN_INS } from "./account-form.ts";
import type { BoundKey } from "../storage/bound-keys.ts";
import type { ProxyTest } from "./test-proxy.ts";
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
  z.object({ kind: z.literal("paused") }),
  z.object({ kind: z.literal("expired"), at: z.number() }),
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

export const failureAnswer = accountFailureSchema.meta({ id: "AccountFailure" });

export const boundKeyAnswer = z
  .object({ id: keyIdSchema, name: z.string(), enabled: z.boolean(), bindingFallback: z.boolean() })
  .meta({ id: "BoundKey" }) satisfies z.ZodType<BoundKey>;

export const proxyAnswer = sharedProxyViewSchema.meta({ id: "Proxy" });
export const proxyTestAnswer = z
  .object({
    ok: z.boolean(),
    status: z.number().nullable(),
    latencyMs: z.number(),
    /** As the target saw it; null: it does not tell. */
    exitAddress: z.string().nullable(),
    message: z.string(),
    code: z.enum(PROXY_ERROR_CODES).nullable(),
  })
  .meta({ id: "ProxyTest" }) satisfies z.ZodType<ProxyTest>;

export const groupAnswer = groupSchema.extend({ accounts: z.array(accountIdSchema) }).meta({ id: "Group" });

export const limitAnswer = z.object({
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
  .omit({ fingerprint: true, previous: true, booksUsage: true })
  .extend({ previousUntil: time, status: keyStatusAnswer.nullable() });
export const keyAnswer = keyFields.meta({ id: "Key" }) satisfies z.ZodType<KeyView>;
/** With the key's text, which is shown this once. */
export const newKeyAnswer = keyFields.extend({ key: z.string() }).meta({ id: "NewKey" });

/** As its owner sees it. */
const ownKeyFields = keyFields.omit({ binding: true, bindingFallback: true });
export const ownKeyAnswer = ownKeyFields.meta({ id: "OwnKey" });
export const newOwnKeyAnswer = ownKeyFields.extend({ key: z.string() }).meta({ id: "NewOwnKey" });

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
      paused: z.number(),
      expired: z.number(),
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

      /** Of every other field, as a JSON Schema; required are those without which no account is made. */
      account: z.record(z.string(), z.unknown()),
      /** The account's fields as a form shows them. */
      order: z.array(z.string()),
      /** What can be changed later. */
      editable: z.array(z.string()),
      signIns: z.array(z.enum(SIGN_INS)),
      needsBaseUrl: z.boolean(),
      /** null: it depends on the credential, or must be named. */
      defaultBaseUrl: z.string().nullable(),
      /** Those of its vendor in the price list; empty: only the account knows. */
      defaultModels: z.array(z.string()),
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
