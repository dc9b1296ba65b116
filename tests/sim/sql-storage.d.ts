/** What of an object's SQL storage its session pointers use; here it is played by `pointer-table.ts`. */

type SqlStorageValue = string | number | null;

interface SqlStorage {
  exec<Row extends Record<string, SqlStorageValue>>(
    statement: string,
    ...bindings: SqlStorageValue[]
  ): Iterable<Row> & { one(): Row };
}
