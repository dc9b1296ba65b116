/**
 * An object's word that it would grant every like request for a while. It gives one where it has nothing to count: then
 * the worker that holds it grants such requests itself, and tells the object of each within milliseconds. Pure.
 */

/**
 * How long a warrant stands, in ms: over the pause between two calls of an agent, renewed whenever the object hears of
 * a request. Who changes a key or an account waits for it to end, so it cannot be long.
 */
export const WARRANT_MS = 2000;

/**
 * After a change: for how long warrants from before it may stand still, in ms. Whoever waits so long may say that the
 * change holds everywhere, unless the object restarted in between: it forgets whom it gave one to.
 */
export type StandsMs = number;

export interface Warrant {
  /** What it was given under: answers that stood under another term stand no longer. */
  readonly term: string;
  /** From when it was asked for, not from when it came: then no two clocks have to agree. */
  readonly forMs: number;
}
