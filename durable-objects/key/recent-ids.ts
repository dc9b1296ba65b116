/** Request ids settled lately, so that a settlement that is repeated is told from one whose permit was lost. Pure. */
import type { RequestId } from "../../worker/domain/ids.ts";

/** A repeat comes within seconds; D1 refuses an older one by its primary key. */
const KEPT_MAX = 10_000;

export class RecentIds {
  readonly #ids: Set<RequestId>;

  constructor(ids: Iterable<RequestId>) {
    this.#ids = new Set(ids);
  }

  /** @returns false when the id was there already */
  add(id: RequestId): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > KEPT_MAX && oldest !== undefined) this.#ids.delete(oldest);
    return true;
  }

  /** The newest ids, the oldest of them first. */
  newest(count: number): RequestId[] {
    return [...this.#ids].slice(-count);
  }
}
