/** The one table of an account's session pointers: it knows the statements of `sessions.ts` and no others. */

interface Pointer extends Record<string, SqlStorageValue> {
  account: string;
  expires: number;
}

/** Its writes are never lost: an object's answers leave after the writes that came before them. */
export class PointerTable implements SqlStorage {
  readonly #rows = new Map<SqlStorageValue, Pointer>();

  exec<Row extends Record<string, SqlStorageValue>>(
    statement: string,
    ...[first = null, second = null, third = null]: SqlStorageValue[]
  ): Iterable<Row> & { one(): Row } {
    const rows = this.#perform(statement, first, { account: String(second), expires: Number(third) });
    const found = rows as unknown as Row[];
    return Object.assign(found, {
      one: () => {
        const [row] = found;
        if (row === undefined) throw new Error("no row");
        return row;
      },
    });
  }

  #perform(statement: string, first: SqlStorageValue, pointer: Pointer): Record<string, SqlStorageValue>[] {
    if (statement.startsWith("CREATE TABLE IF NOT EXISTS session ")) return [];
    switch (statement) {
      case "SELECT count(*) AS n FROM session":
        return [{ n: this.#rows.size }];
      case "SELECT account, expires FROM session WHERE affinity = ?": {
        const row = this.#rows.get(first);
        return row === undefined ? [] : [row];
      }
      case "INSERT OR REPLACE INTO session VALUES (?, ?, ?)":
        this.#rows.set(first, pointer);
        return [];
      case "DELETE FROM session WHERE expires <= ?":
        for (const [affinity, { expires }] of this.#rows) {
          if (expires <= Number(first)) this.#rows.delete(affinity);
        }
        return [];
    }
    throw new Error(`the pointers' table does not know this statement: ${statement}`);
  }
}
