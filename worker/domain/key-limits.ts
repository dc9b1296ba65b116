/** Everything a relay key can be limited in; `docs/keys.md` shows each with the refusal it causes. Pure. */
import { z } from "zod";
import { CLIENTS } from "./client-identity.ts";
import { SERVICES } from "./service.ts";
import { fitsAny } from "./wildcard.ts";

const PATTERNS_MAX = 200;
const pattern = z.string().trim().min(1).max(200);
const patterns = z.array(pattern).max(PATTERNS_MAX);

const DOLLARS_MAX = 1_000_000;
/** US dollars; 0 is no limit. */
const dollars = z.number().min(0).max(DOLLARS_MAX).default(0);
const count = (max: number) => z.int().min(0).max(max).default(0);

const SECOND = 1000;
const MINUTES_IN_YEAR = 366 * 24 * 60;

/** What each service's cost counts against the key's budgets: 1.5 charges half as much again. */
const rates = z.partialRecord(z.enum(SERVICES), z.number().min(0).max(100)).default({});

/** The part of a key's options that limits it. In lists, empty means no restriction; in figures, 0 does. */
export const limitFields = {
  /** Services the key may use. */
  permissions: z.array(z.enum(SERVICES)).max(SERVICES.length).default([]),
  /** Known clients that may use the key. */
  clients: z.array(z.enum(CLIENTS)).max(CLIENTS.length).default([]),
  /** User-Agents that may use the key besides those clients. */
  userAgents: patterns.default([]),
  /** Models that may be asked for. */
  allowedModels: patterns.default([]),
  /** Models that may not, whatever the list above says. */
  blockedModels: patterns.default([]),

  /** Simultaneous requests. */
  concurrency: count(10_000),
  /** Requests that may wait for a slot: this many, or this many times the concurrency, whichever is more. */
  queueLength: count(1000),
  queueMultiple: z.number().min(0).max(10).default(0),
  /** Longest wait in ms; null: the deployment's `QUEUE_TIMEOUT_MS`. */
  queueTimeoutMs: z
    .int()
    .min(SECOND)
    .max(600 * SECOND)
    .nullable()
    .default(null),

  /** Length of the fixed window that the first request opens; 0: no window. */
  windowMinutes: count(MINUTES_IN_YEAR),
  windowRequests: count(1_000_000_000),
  windowTokens: count(1_000_000_000_000),
  windowCost: dollars,

  dailyCost: dollars,
  weeklyCost: dollars,
  /** Of the models in `premiumModels` alone. */
  weeklyPremiumCost: dollars,
  totalCost: dollars,
  /** The most expensive family of models. */
  premiumModels: patterns.default(["*opus*", "*fable*"]),
  /** When the key's weeks begin, in the deployment's time zone: 1 (Monday) to 7 (Sunday), and the hour. */
  weekStartDay: z.int().min(1).max(7).default(1),
  weekStartHour: z.int().min(0).max(23).default(0),
  /** A running stream ends when what it cost passes what is left of a budget. */
  hardBudget: z.boolean().default(false),
  rates,
} as const;

/** The limits that count something, in the order in which they are checked. */
export const LIMIT_IDS = [
  "total_cost",
  "weekly_premium_cost",
  "weekly_cost",
  "daily_cost",
  "window_requests",
  "window_tokens",
  "window_cost",
] as const;
export type LimitId = (typeof LIMIT_IDS)[number];

/** A blocked model is blocked whatever the list of allowed ones says. A call that names none (`""`) asks for none. */
export const allowsModel = (
  lists: { readonly allowedModels: readonly string[]; readonly blockedModels: readonly string[] },
  model: string,
): boolean =>
  !fitsAny(lists.blockedModels, model) &&
  (lists.allowedModels.length === 0 || model === "" || fitsAny(lists.allowedModels, model));
