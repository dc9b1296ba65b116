/** Money as integers: one nano-dollar is 1e-9 US dollars. Pure. */

/** A whole number of nano-dollars; safe up to nine million dollars. */
export type NanoDollars = number;

export const NANO_PER_DOLLAR = 1_000_000_000;

export const toDollars = (nano: NanoDollars): number => nano / NANO_PER_DOLLAR;
