/** Models and what they cost here: made up, in round figures. */

export const MODELS = ["claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5"] as const;
export type Model = (typeof MODELS)[number];

/** The part of an account's limits that a model counts against. */
export const familyOf = (model: string): string | null => model.split("-")[1] ?? null;

export const isPremium = (model: string): boolean => model.includes("opus");

/** Nano-dollars: what the first event of an answer costs, which bills the input, and each that follows. */
export const FIRST_EVENT_COST = 10_000_000;
export const EVENT_COST = 2_000_000;
export const EVENT_COST_MAX = Math.max(FIRST_EVENT_COST, EVENT_COST);
export const FIRST_EVENT_TOKENS = 10_000;
export const EVENT_TOKENS = 60;
/** Events of a stream come this often, in ms. */
export const EVENT_MS = 250;
