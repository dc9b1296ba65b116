/** Quota cards: what they add to a key, their codes, and what happens when one is redeemed or taken back. Pure. */
import { z } from "zod";
import { cardIdSchema, keyIdSchema, redemptionIdSchema, type EpochMs } from "./ids.ts";
import { extended, lifetimeMs, lifetimeSchema } from "./key-changes.ts";
import type { KeyConfig, KeyStatus } from "./key.ts";
import { NANO_PER_DOLLAR, toDollars } from "./money.ts";
import { remarkSchema } from "./text.ts";

const CARDS_MAX = 100;
const COST_MAX = 10_000;
/** Of a key's budgets, in dollars, as `key-limits.ts` has it. */
const BUDGET_MAX = 1_000_000;

/** What a card adds. */
const gift = {
  /** US dollars to the key's total budget; null: none. */
  cost: z.number().min(0.01).max(COST_MAX).nullable(),
  /** To the key's end; null: none. */
  time: lifetimeSchema.nullable(),
} as const;

export const cardsInputSchema = z
  .strictObject({
    cost: gift.cost.default(null),
    time: gift.time.default(null),
    note: remarkSchema.default(""),
    /** Until when it may be redeemed; null: for ever. */
    expiresAt: z.int().min(0).nullable().default(null),
    count: z.int().min(1).max(CARDS_MAX).default(1),
  })
  .refine(({ cost, time }) => cost !== null || time !== null, {
    path: ["cost"],
    message: "or time is needed: a card adds something",
  });
export type CardsInput = z.output<typeof cardsInputSchema>;

export const CARD_STATES = ["unused", "redeemed", "revoked", "expired"] as const;
export type CardState = (typeof CARD_STATES)[number];

/** What D1 keeps of a card besides its dates. */
export const cardConfigSchema = z.object({
  ...gift,
  note: z.string(),
  /** The code's last characters, so that people can tell cards apart. */
  hint: z.string(),
  createdBy: z.string(),
});

export const cardSchema = cardConfigSchema.extend({
  id: cardIdSchema,
  type: z.enum(["budget", "time", "both"]),
  state: z.enum(CARD_STATES),
  createdAt: z.number(),
  expiresAt: z.number().nullable(),
  revokedAt: z.number().nullable(),
});
export type Card = Readonly<z.infer<typeof cardSchema>>;

type Gift = Pick<Card, "cost" | "time">;

export function typeOf({ cost, time }: Gift): Card["type"] {
  if (cost !== null && time !== null) return "both";
  return cost === null ? "time" : "budget";
}

export const redemptionConfigSchema = z.object({
  ...gift,
  costBefore: z.number(),
  costAfter: z.number(),
  expiresBefore: z.number().nullable(),
  expiresAfter: z.number().nullable(),
  /** The person who redeemed it, or the key's holder. */
  by: z.string(),
  /** What a revocation took back: dollars, and time in ms. */
  takenBack: z.object({ cost: z.number(), timeMs: z.number() }).nullable(),
});
export type RedemptionConfig = Readonly<z.infer<typeof redemptionConfigSchema>>;

export const redemptionSchema = redemptionConfigSchema.extend({
  id: redemptionIdSchema,
  cardId: cardIdSchema,
  keyId: keyIdSchema,
  /** Of a key that still exists. */
  keyName: z.string().nullable(),
  redeemedAt: z.number(),
  revokedAt: z.number().nullable(),
});
export type Redemption = Readonly<z.infer<typeof redemptionSchema>>;

/** Letters and digits that nobody takes for others: no I, O, 0 and 1. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const CODE = new RegExp(`^CC(_[${ALPHABET}]{4}){3}$`);
export const CODE_BYTES = 12;

/** @param random `CODE_BYTES` bytes, of which each gives one of 32 characters */
export function cardCode(random: Uint8Array): string {
  const characters = [...random.slice(0, CODE_BYTES)].map((byte) => ALPHABET[byte & 31] ?? "A").join("");
  return `CC_${characters.slice(0, 4)}_${characters.slice(4, 8)}_${characters.slice(8)}`;
}

/** A code as somebody typed it. @returns null: it is none */
export function parseCode(text: string): string | null {
  const code = text.trim().toUpperCase();
  return CODE.test(code) ? code : null;
}

/** Why a card cannot be redeemed. */
export const CARD_REFUSALS = {
  redeemed: "This card has been redeemed already.",
  revoked: "This card was revoked.",
  expired: "This card has expired.",
} as const satisfies Record<Exclude<CardState, "unused">, string>;

/** Sums of dollars have no more digits than the books. */
const exact = (dollars: number): number => Math.round(dollars * NANO_PER_DOLLAR) / NANO_PER_DOLLAR;

/** The key with what a card adds. @returns as text: why the key cannot have it */
export function redeemed(
  config: KeyConfig,
  activatedAt: EpochMs | null,
  { cost, time }: Gift,
  now: EpochMs,
): KeyConfig | string {
  const longer = time === null ? config : extended(config, activatedAt, time, now);
  if (typeof longer === "string") return `${longer} A card with time is of no use to it.`;
  if (cost === null) return longer;
  // A budget of 0 is none. With a card's it would be one.
  if (config.totalCost === 0) return "This key has no total budget, so a card would limit it.";
  const totalCost = exact(config.totalCost + cost);
  return totalCost > BUDGET_MAX ? "This key's total budget would be too large." : { ...longer, totalCost };
}

/** What a redemption has added, for the record. */
export const redemptionOf = (
  before: KeyConfig,
  after: KeyConfig,
  { cost, time }: Gift,
  by: string,
): RedemptionConfig => ({
  cost,
  time,
  costBefore: before.totalCost,
  costAfter: after.totalCost,
  expiresBefore: before.expiresAt,
  expiresAfter: after.expiresAt,
  by,
  takenBack: null,
});

/** A budget of 0 would be none. */
const BUDGET_MIN = 0.01;

export interface TakenBack {
  readonly config: KeyConfig;
  readonly takenBack: { readonly cost: number; readonly timeMs: number };
}

/**
 * The key without what a redemption added, as far as it is not used: its budget is never less than what it spent, its
 * end never before now. A key that has no total budget or no end by now keeps that.
 */
export function takenBack(
  config: KeyConfig,
  { limits }: Pick<KeyStatus, "limits">,
  { cost, time }: Gift,
  now: EpochMs,
): TakenBack {
  const used = toDollars(limits.find(({ id }) => id === "total_cost")?.used ?? 0);
  const least = Math.max(used, BUDGET_MIN);
  const { totalCost, expiresAt } = config;
  const budget =
    cost === null || totalCost === 0
      ? totalCost
      : Math.min(totalCost, exact(Math.max(least, totalCost - cost)));
  const end =
    time === null || expiresAt === null
      ? expiresAt
      : Math.min(expiresAt, Math.max(now, expiresAt - lifetimeMs(time)));
  return {
    config: { ...config, totalCost: budget, expiresAt: end },
    takenBack: { cost: exact(totalCost - budget), timeMs: (expiresAt ?? 0) - (end ?? 0) },
  };
}
