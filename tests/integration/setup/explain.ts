/** A database that answers as the real one does, and notes how each statement finds its rows. */

export interface Explained {
  readonly db: D1Database;
  /** Of each statement of a batch, the lines of its plan. */
  readonly plans: string[][];
}

export function explaining(real: D1Database): Explained {
  const plans: string[][] = [];
  const explanations = new WeakMap<D1PreparedStatement, D1PreparedStatement>();
  const prepare = (sql: string) => {
    const statement = real.prepare(sql);
    const bind = (...values: unknown[]) => {
      const bound = statement.bind(...values);
      explanations.set(bound, real.prepare(`EXPLAIN QUERY PLAN ${sql}`).bind(...values));
      return bound;
    };
    return { bind };
  };
  const batch = async (statements: D1PreparedStatement[]) => {
    for (const statement of statements) {
      const explained = await explanations.get(statement)?.all<{ detail: string }>();
      plans.push((explained?.results ?? []).map(({ detail }) => detail));
    }
    return real.batch(statements);
  };
  return { db: { prepare, batch } as unknown as D1Database, plans };
}
