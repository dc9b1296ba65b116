/** What happens to a key's configuration when it is changed, rotated, put into the bin or given more time. Pure. */
import { z } from "zod";
import type { EpochMs, KeyHash } from "./ids.ts";
import type { KeyConfig } from "./key.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** A week: whoever holds a key has read their mail by then. */
const GRACE_MINUTES_MAX = 7 * 24 * 60;
export const rotationSchema = z.strictObject({
  /** How long the old text works still. */
  graceMinutes: z.int().min(0).max(GRACE_MINUTES_MAX).default(0),
});

/** Time that is added to a key's life. A month is 30 days. */
export const lifetimeSchema = z.strictObject({
  amount: z.int().min(1).max(3650),
  unit: z.enum(["hours", "days", "months"]),
});
export type Lifetime = Readonly<z.infer<typeof lifetimeSchema>>;

const UNIT_MS = {
  hours: 60 * MINUTE_MS,
  days: DAY_MS,
  months: 30 * DAY_MS,
} as const satisfies Record<Lifetime["unit"], number>;

export const lifetimeMs = ({ amount, unit }: Lifetime): number => amount * UNIT_MS[unit];

/** When a change of this key is made: later than the change before it, whatever the clocks of two machines say. */
export const changedAt = ({ updatedAt }: KeyConfig, now: EpochMs): EpochMs => Math.max(now, updatedAt + 1);

/** The text in force becomes the one before, and works for a while yet; the one before that ends. */
export const rotated = (
  key: { readonly config: KeyConfig; readonly hash: KeyHash },
  marks: Pick<KeyConfig, "hint" | "fingerprint">,
  until: EpochMs,
): KeyConfig => ({ ...key.config, ...marks, previous: { hash: key.hash, until } });

/** The key's end: a fixed date, or its lifetime from first use, whichever comes first; null: none, or not begun. */
export function endOf(
  { expiresAt, activation }: Pick<KeyConfig, "expiresAt" | "activation">,
  activatedAt: EpochMs | null,
): EpochMs | null {
  const ends = expiresAt === null ? [] : [expiresAt];
  if (activation !== null && activatedAt !== null) ends.push(activatedAt + lifetimeMs(activation));
  return ends.length === 0 ? null : Math.min(...ends);
}

/**
 * A later end, counted from the key's own or from now. A lifetime from first use that has begun becomes a date.
 *
 * @param activatedAt first use, which only the key's object knows
 * @returns as text: why there is nothing to be made later
 */
export function extended(
  config: KeyConfig,
  activatedAt: EpochMs | null,
  lifetime: Lifetime,
  now: EpochMs,
): KeyConfig | string {
  const end = endOf(config, activatedAt);
  if (end !== null) {
    const activation = activatedAt === null ? config.activation : null;
    return { ...config, expiresAt: Math.max(now, end) + lifetimeMs(lifetime), activation };
  }
  return config.activation === null
    ? "This key does not expire."
    : "This key's lifetime begins with its first use. Change `activation` instead.";
}

export interface TagChange {
  /** Instead of all tags. */
  readonly replace?: readonly string[] | undefined;
  readonly add?: readonly string[] | undefined;
  readonly remove?: readonly string[] | undefined;
}

/** Each tag once, those that stay in their order. */
export function withTags(tags: readonly string[], { replace, add = [], remove = [] }: TagChange): string[] {
  const all = new Set([...(replace ?? tags), ...add]);
  return [...all].filter((tag) => !remove.includes(tag));
}
