/**
 * An account's last failures, for people to read. They are written when something fails and at no other time: an
 * account that works pays nothing for them, not even the table.
 */
import { accountFailureSchema, type AccountFailure } from "../../worker/domain/account-failure.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";
import type { AttemptOutcome, Release } from "../../worker/domain/lease.ts";
import { quoted } from "../../worker/domain/notice.ts";
import type { FailurePage } from "./contract.ts";

const KEPT_MAX = 200;
const KEPT_MS = 7 * 86_400_000;

const TABLE = `CREATE TABLE IF NOT EXISTS failure (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,
  status INTEGER, model TEXT, request TEXT, message TEXT NOT NULL)`;

export class FailureHistory {
  readonly #sql: SqlStorage;
  #hasTable = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add({ at, kind, status, model, requestId, message }: AccountFailure): void {
    this.#prepare();
    this.#sql.exec(
      "INSERT INTO failure (at, kind, status, model, request, message) VALUES (?, ?, ?, ?, ?, ?)",
      ...[at, kind, status, model, requestId, quoted(message)],
    );
    this.#sql.exec(
      "DELETE FROM failure WHERE id <= (SELECT max(id) FROM failure) - ? OR at <= ?",
      ...[KEPT_MAX, at - KEPT_MS],
    );
  }

  /** The newest first. */
  page({ limit, offset }: { readonly limit: number; readonly offset: number }, now: EpochMs): FailurePage {
    this.#prepare();
    const since = now - KEPT_MS;
    const rows = this.#sql.exec(
      `SELECT at, kind, status, model, request AS requestId, message FROM failure
       WHERE at > ? ORDER BY id DESC LIMIT ? OFFSET ?`,
      ...[since, limit, offset],
    );
    const items = rows.toArray().map((row) => accountFailureSchema.parse(row));
    const { n } = this.#sql
      .exec<{ n: number }>("SELECT count(*) AS n FROM failure WHERE at > ?", since)
      .one();
    return { items, total: n };
  }

  clear(): void {
    this.#prepare();
    this.#sql.exec("DELETE FROM failure");
  }

  /** The table is gone with the rest of the object's storage. */
  forget(): void {
    this.#hasTable = false;
  }

  #prepare(): void {
    if (this.#hasTable) return;
    this.#sql.exec(TABLE);
    this.#hasTable = true;
  }
}

/** What the end of a lease tells of a failure; null: it tells of none. */
export function failureIn({ requestId, outcome }: Release, at: EpochMs): AccountFailure | null {
  switch (outcome.kind) {
    case "ok":
    case "neutral":
      return null;
    case "failed":
      return outcome.reason === "window_warning"
        ? null
        : { at, kind: outcome.reason, ...answerOf(outcome), requestId, message: outcome.message };
    case "disabled":
      return { at, kind: "disabled", ...answerOf(outcome), requestId, message: outcome.reason };
  }
}

const answerOf = ({ answer }: Extract<AttemptOutcome, { kind: "failed" | "disabled" }>) => ({
  status: answer?.status ?? null,
  model: answer?.model ?? null,
});
