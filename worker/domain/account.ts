/** Upstream accounts: what an admin enters, what the relay schedules by, what the account's object keeps. Pure. */
import { z } from "zod";
import { accountIdSchema, personIdSchema, proxyIdSchema, type AccountId, type EpochMs } from "./ids.ts";
import { groupSchema } from "./group.ts";
import { modelMapSchema } from "./model-map.ts";
import { PROTECTED_REASONS } from "./cooldown.ts";
import type { Availability, Cooldown, LimitWindow } from "./cooldown.ts";
import { proxyConfigSchema, proxyInputSchema } from "./proxy.ts";
import { nameSchema, upstreamUrlSchema } from "./text.ts";

/** 1 is tried first. */
const priority = z.int().min(1).max(100);
/** Share of the sessions within a priority tier, relative to its siblings. */
const weight = z.int().min(1).max(1000);
/** Simultaneous requests; 0 is unlimited. */
const maxConcurrency = z.int().min(0).max(10_000);
const groups = z.array(nameSchema).max(50);
/** Models this account may serve, `*` as a wildcard; empty: all. */
const models = z.array(z.string().min(1).max(200)).max(500);
/** What to ask the upstream for, where it has other names than clients use. */
const modelMap = modelMapSchema;
/** Requests that may wait for a slot: this many, or this many times the slots, whichever is more. */
const queueLength = z.int().min(0).max(1000);
const queueMultiple = z.number().min(0).max(10);
/** Longest wait here in ms; null: as long as the request may wait anywhere. */
const queueTimeoutMs = z.int().min(1000).max(600_000).nullable();
/**
 * A person's new messages go to the account one after the other, with a pause between them, as one person's
 * would; what a tool answers does not wait. null: off.
 */
const userTurns = z
  .object({ delayMs: z.int().min(0).max(60_000), timeoutMs: z.int().min(1000).max(300_000) })
  .nullable();
/** Rests while the upstream warns that the five-hour window is nearly used up. */
const stopOnWarning = z.boolean();
/** How long the account rests after each kind of failure, in seconds; 0: not at all. Absent: as the table says. */
const cooldownSeconds = z.partialRecord(z.enum(PROTECTED_REASONS), z.int().min(0).max(86_400));
/** The subscription's end, not the token's, in ms; null: none is known. */
const expiresAt = z.int().min(0).nullable();
const credential = z.record(z.string().max(100), z.unknown());

const QUEUE_LENGTH_DEFAULT = 1000;

export const accountInputSchema = z.object({
  name: nameSchema,
  provider: z.string().min(1).max(40),
  credential,
  baseUrl: upstreamUrlSchema.nullish(),
  tokenUrl: upstreamUrlSchema.nullish(),
  proxy: proxyInputSchema.nullable().default(null),
  priority: priority.default(50),
  weight: weight.default(100),
  maxConcurrency: maxConcurrency.default(0),
  groups: groups.default([]),
  models: models.default([]),
  modelMap: modelMap.default({}),
  queueLength: queueLength.default(QUEUE_LENGTH_DEFAULT),
  queueMultiple: queueMultiple.default(0),
  queueTimeoutMs: queueTimeoutMs.default(null),
  userTurns: userTurns.default(null),
  stopOnWarning: stopOnWarning.default(false),
  cooldownSeconds: cooldownSeconds.default({}),
  enabled: z.boolean().default(true),
  schedulable: z.boolean().default(true),
  expiresAt: expiresAt.default(null),
  proxyId: proxyIdSchema.nullable().default(null),
});
export type AccountInput = z.infer<typeof accountInputSchema>;

/** A change to an account: what is absent stays as it is. */
export const accountPatchSchema = z.object({
  name: nameSchema.optional(),
  credential: credential.optional(),
  baseUrl: upstreamUrlSchema.nullish(),
  tokenUrl: upstreamUrlSchema.nullish(),
  /** null: none any more. Without a password it keeps the stored one, if it is the same user of the same proxy. */
  proxy: proxyInputSchema.nullish(),
  priority: priority.optional(),
  weight: weight.optional(),
  maxConcurrency: maxConcurrency.optional(),
  groups: groups.optional(),
  models: models.optional(),
  modelMap: modelMap.optional(),
  queueLength: queueLength.optional(),
  queueMultiple: queueMultiple.optional(),
  queueTimeoutMs: queueTimeoutMs.optional(),
  userTurns: userTurns.optional(),
  stopOnWarning: stopOnWarning.optional(),
  cooldownSeconds: cooldownSeconds.optional(),
  enabled: z.boolean().optional(),
  schedulable: z.boolean().optional(),
  expiresAt: expiresAt.optional(),
  proxyId: proxyIdSchema.nullish(),
});
export type AccountPatch = z.infer<typeof accountPatchSchema>;

/** An account's configuration: everything but its secrets and its running state. */
export const accountConfigSchema = z.object({
  id: accountIdSchema,
  name: z.string(),
  provider: z.string(),
  baseUrl: z.string().nullable(),
  tokenUrl: z.string().nullable(),
  proxy: proxyConfigSchema.nullable().default(null),
  priority: z.number(),
  weight: z.number(),
  maxConcurrency: z.number(),
  groups: z.array(z.string()),
  models: z.array(z.string()),
  modelMap: modelMap.default({}),
  queueLength: queueLength.default(QUEUE_LENGTH_DEFAULT),
  queueMultiple: queueMultiple.default(0),
  queueTimeoutMs: queueTimeoutMs.default(null),
  userTurns: userTurns.default(null),
  stopOnWarning: stopOnWarning.default(false),
  cooldownSeconds: cooldownSeconds.default({}),
  enabled: z.boolean(),
  /** Off: it gets no new requests, and its token is kept fresh all the same. */
  schedulable: z.boolean().default(true),
  expiresAt: expiresAt.default(null),
  /** Where `proxy` comes from, if it is shared; null: it is the account's own. */
  proxyId: proxyIdSchema.nullable().default(null),
  createdAt: z.number(),
  updatedAt: z.number(),
});
export type AccountConfig = Readonly<z.infer<typeof accountConfigSchema>>;

/** What the scheduler knows of an account: no secret, no address. */
export const directoryEntrySchema = accountConfigSchema.pick({
  id: true,
  provider: true,
  priority: true,
  weight: true,
  groups: true,
  models: true,
  modelMap: true,
  userTurns: true,
  enabled: true,
});
export type DirectoryEntry = Readonly<z.infer<typeof directoryEntrySchema>>;

export const directorySchema = z.object({
  /** Grows with each change; an older snapshot never replaces a newer one. */
  version: z.number(),
  accounts: z.array(directoryEntrySchema),
  groups: z.array(groupSchema).default([]),
  /** People whose keys draw on a common budget. */
  purses: z.array(personIdSchema).default([]),
});
export type Directory = Readonly<z.infer<typeof directorySchema>>;

/** What an account's object tells the admin: running state, and the credential only in masked form. */
export interface AccountStatus {
  readonly id: AccountId;
  readonly availability: Availability;
  readonly cooldowns: readonly Cooldown[];
  /** The upstream's own limits, as its last answer told them. */
  readonly windows: readonly LimitWindow[];
  readonly activeLeases: number;
  readonly waiting: number;
  readonly sessions: number;
  readonly credential: Readonly<Record<string, string>>;
  readonly tokenExpiresAt: EpochMs | null;
  readonly lastRefreshAt: EpochMs | null;
  readonly refreshError: string | null;
  readonly lastUsedAt: EpochMs | null;
}

/** An account as the admin API shows it. */
export type AccountView = AccountConfig & { readonly status: AccountStatus | null };
