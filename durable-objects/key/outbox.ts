/**
 * Booked records on their way to D1. They leave in the order of their sequence, one transaction a batch, and
 * are deleted only after D1 said that it holds them.
 */
import type { UsageRecord } from "../../worker/domain/usage.ts";

/** Records of one row: a row holds at most 2 MB, a record well under 2 kB. */
const RECORDS_PER_ROW = 500;

export interface Parcel {
  /** Of the last row in it. */
  readonly through: number;
  readonly records: readonly UsageRecord[];
}

interface Row extends Record<string, SqlStorageValue> {
  sequence: number;
  records: string;
}

export class Outbox {
  readonly #sql: SqlStorage;
  /** Records as JSON text, not yet in storage. */
  #unwritten: string[] = [];
  #rows: number;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    // AUTOINCREMENT: a sequence is never used twice, even after its row is gone.
    sql.exec(
      "CREATE TABLE IF NOT EXISTS outbox (sequence INTEGER PRIMARY KEY AUTOINCREMENT, records TEXT NOT NULL)",
    );
    this.#rows = sql.exec<{ n: number }>("SELECT count(*) AS n FROM outbox").one().n;
  }

  get isEmpty(): boolean {
    return this.#rows === 0 && this.#unwritten.length === 0;
  }

  /** @param record a usage record as JSON text */
  add(record: string): void {
    this.#unwritten.push(record);
  }

  /** Part of the object's group commit. */
  write(): void {
    for (let at = 0; at < this.#unwritten.length; at += RECORDS_PER_ROW) {
      const chunk = this.#unwritten.slice(at, at + RECORDS_PER_ROW);
      this.#sql.exec("INSERT INTO outbox (records) VALUES (?)", `[${chunk.join(",")}]`);
      this.#rows++;
    }
    this.#unwritten = [];
  }

  /** The oldest rows, up to about `recordsMax` records; null: nothing to ship. */
  next(recordsMax: number): Parcel | null {
    const records: UsageRecord[] = [];
    let through = 0;
    for (const row of this.#sql.exec<Row>(
      "SELECT sequence, records FROM outbox ORDER BY sequence LIMIT 200",
    )) {
      records.push(...(JSON.parse(row.records) as UsageRecord[]));
      through = row.sequence;
      if (records.length >= recordsMax) break;
    }
    return records.length === 0 ? null : { through, records };
  }

  shipped(through: number): void {
    this.#sql.exec("DELETE FROM outbox WHERE sequence <= ?", through);
    this.#rows = this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM outbox").one().n;
  }
}
