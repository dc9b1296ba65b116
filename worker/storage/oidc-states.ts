/** Remembers which sign-ins at an OpenID provider were brought back: each counts once. */
import type { EpochMs } from "../domain/ids.ts";

/** @returns false when it was spent before */
export async function spendState(
  db: D1Database,
  state: string,
  { now, expiresAt }: { readonly now: EpochMs; readonly expiresAt: EpochMs },
): Promise<boolean> {
  const [, inserted] = await db.batch([
    db.prepare("DELETE FROM oidc_state WHERE expires_at <= ?").bind(now),
    db
      .prepare("INSERT INTO oidc_state (state, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING")
      .bind(state, expiresAt),
  ]);
  return (inserted?.meta.changes ?? 0) > 0;
}
