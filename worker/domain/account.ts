/** Upstream accounts: what an admin enters, what the relay schedules by, what the account's object keeps. Pure. */
import { z } from "zod";
import { accountIdSchema, type AccountId, type EpochMs } from "./ids.ts";
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
const credential = z.record(z.string().max(100), z.unknown());

export const accountInputSchema = z.object({
  name: nameSchema,
  provider: z.string().min(1).max(40),
  credential,
  baseUrl: upstreamUrlSchema.nullish(),
  tokenUrl: upstreamUrlSchema.nullish(),
  priority: priority.default(50),
  weight: weight.default(100),
  maxConcurrency: maxConcurrency.default(0),
  groups: groups.default([]),
  models: models.default([]),
  enabled: z.boolean().default(true),
});
export type AccountInput = z.infer<typeof accountInputSchema>;

/** A change to an account: what is absent stays as it is. */
export const accountPatchSchema = z.object({
  name: nameSchema.optional(),
  credential: credential.optional(),
  baseUrl: upstreamUrlSchema.nullish(),
  tokenUrl: upstreamUrlSchema.nullish(),
  priority: priority.optional(),
  weight: weight.optional(),
  maxConcurrency: maxConcurrency.optional(),
  groups: groups.optional(),
  models: models.optional(),
  enabled: z.boolean().optional(),
});
export type AccountPatch = z.infer<typeof accountPatchSchema>;

/** An account's configuration: everything but its credential and its running state. */
export const accountConfigSchema = z.object({
  id: accountIdSchema,
  name: z.string(),
  provider: z.string(),
  baseUrl: z.string().nullable(),
  tokenUrl: z.string().nullable(),
  priority: z.number(),
  weight: z.number(),
  maxConcurrency: z.number(),
  groups: z.array(z.string()),
  models: z.array(z.string()),
  enabled: z.boolean(),
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
  enabled: true,
});
export type DirectoryEntry = Readonly<z.infer<typeof directoryEntrySchema>>;

export const directorySchema = z.object({
  /** Grows with each change; an older snapshot never replaces a newer one. */
  version: z.number(),
  accounts: z.array(directoryEntrySchema),
});
export type Directory = Readonly<z.infer<typeof directorySchema>>;

/** Why an account, or a part of it, is not chosen for a while. */
export type CooldownReason =
  | "rate_limited"
  | "overloaded"
  | "unauthorized"
  | "forbidden"
  | "payment"
  | "unavailable"
  | "server_error"
  | "network"
  | "timeout"
  | "model";

/** What a cooldown covers: the whole account, one model family of it, or one model. */
export type CooldownScope = "account" | "modelFamily" | "model";

/** Time in which an account, or one model family or model of it, is not chosen. */
export interface Cooldown {
  readonly scope: CooldownScope;
  /** The family or the model; null for the whole account. */
  readonly target: string | null;
  readonly reason: CooldownReason;
  /** What the upstream said, without secrets. */
  readonly message: string;
  readonly until: EpochMs;
  /** Consecutive failures of this kind: the back-off doubles with each. */
  readonly strikes: number;
}

/** The one answer to "can it be scheduled now, and if not, why and until when". */
export type Availability =
  | { readonly kind: "available" }
  | { readonly kind: "full"; readonly waiting: number }
  | { readonly kind: "cooling"; readonly cooldown: Cooldown }
  | { readonly kind: "disabled"; readonly reason: string };

/** What an account's object tells the admin: running state, and the credential only in masked form. */
export interface AccountStatus {
  readonly id: AccountId;
  readonly availability: Availability;
  readonly cooldowns: readonly Cooldown[];
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
