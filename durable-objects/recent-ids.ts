/**
 * Request ids that ended lately, so that an end that is told again is told from one that was never heard of, and a
 * beginning that comes late from one that is still running. Pure.
 */
import type { RequestId } from "../worker/domain/ids.ts";

/** A repeat comes within seconds; D1 refuses an older one by its primary key. */
const KEPT_MAX = 10_000;

/** Ids that are written down with the key's state, to be recognised after a restart as well. */
const WRITTEN_MAX = 100;

export class RecentIds {
  readonly #ids: Set<RequestId>;
  #newest: RequestId[];

  constructor(ids: readonly RequestId[]) {
    this.#ids = new Set(ids);
    this.#newest = [...ids];
  }

  has(id: RequestId): boolean {
    return this.#ids.has(id);
  }

  /** @returns false when the id was there already */
  add(id: RequestId): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    this.#newest.push(id);
    if (this.#newest.length > 2 * WRITTEN_MAX) this.#newest = this.newest;
    const [oldest] = this.#ids;
    if (this.#ids.size > KEPT_MAX && oldest !== undefined) this.#ids.delete(oldest);
    return true;
  }

  /** The newest hundred, the oldest of them first. */
  get newest(): RequestId[] {
    return this.#newest.slice(-WRITTEN_MAX);
  }
}
