/** How a change reaches D1: all its statements in one transaction, perhaps together with what says who made it. */
export type Commit = (statements: readonly D1PreparedStatement[]) => Promise<readonly D1Result[]>;

/** The change by itself. */
export const alone =
  (db: D1Database): Commit =>
  (statements) =>
    db.batch([...statements]);
