/** Forwarding pointers of the sessions that this account is home to and another one serves. */
import type { AccountId, Affinity, EpochMs } from "../../worker/domain/ids.ts";

/** A pointer is extended once this share of its life has passed, so that most uses write nothing. */
const RENEW_AFTER_SHARE = 0.1;

interface Row extends Record<string, SqlStorageValue> {
  account: string;
  expires: number;
}

export class SessionPointers {
  readonly #sql: SqlStorage;
  readonly #ttlMs: () => number;
  #count: number;

  constructor(sql: SqlStorage, ttlMs: () => number) {
    this.#sql = sql;
    this.#ttlMs = ttlMs;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS session (affinity TEXT PRIMARY KEY, account TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID",
    );
    this.#count = sql.exec<{ n: number }>("SELECT count(*) AS n FROM session").one().n;
  }

  get count(): number {
    return this.#count;
  }

  /** Where a session went, extended by this use; null: it lives here. */
  find(affinity: Affinity, now: EpochMs): AccountId | null {
    if (this.#count === 0) return null;
    const [row] = this.#sql.exec<Row>("SELECT account, expires FROM session WHERE affinity = ?", affinity);
    if (row === undefined || row.expires <= now) return null;
    if (row.expires - now < this.#ttlMs() * (1 - RENEW_AFTER_SHARE))
      this.put(affinity, row.account as AccountId, now);
    return row.account as AccountId;
  }

  put(affinity: Affinity, account: AccountId, now: EpochMs): void {
    this.#sql.exec("INSERT OR REPLACE INTO session VALUES (?, ?, ?)", affinity, account, now + this.#ttlMs());
    this.#recount();
  }

  sweep(now: EpochMs): void {
    if (this.#count === 0) return;
    this.#sql.exec("DELETE FROM session WHERE expires <= ?", now);
    this.#recount();
  }

  /** The table is gone with the rest of the object's storage. */
  forget(): void {
    this.#count = 0;
  }

  #recount(): void {
    this.#count = this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM session").one().n;
  }
}
