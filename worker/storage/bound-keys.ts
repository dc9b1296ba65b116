/** Keys that are bound to an account. */
import { z } from "zod";
import { keyIdSchema, type AccountId, type KeyId } from "../domain/ids.ts";

const boundRowSchema = z.object({
  id: keyIdSchema,
  name: z.string(),
  enabled: z.number(),
  fallback: z.number(),
});

export interface BoundKey {
  readonly id: KeyId;
  readonly name: string;
  readonly enabled: boolean;
  /** Without its account the shared pool serves it; otherwise it is refused. */
  readonly bindingFallback: boolean;
}

/** Keys that are bound to one account, the newest first. */
export async function listBoundKeys(
  db: D1Database,
  account: AccountId,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ items: BoundKey[]; total: number }> {
  const where = "WHERE config ->> '$.binding.accountId' = ?";
  const [rows, count] = await db.batch([
    db
      .prepare(
        `SELECT id, name, config ->> 'enabled' AS enabled, coalesce(config ->> 'bindingFallback', 0) AS fallback
         FROM relay_key ${where} ORDER BY id DESC LIMIT ? OFFSET ?`,
      )
      .bind(account, page.limit, page.offset),
    db.prepare(`SELECT count(*) AS total FROM relay_key ${where}`).bind(account),
  ]);
  const { total } = z.object({ total: z.number() }).parse(count?.results[0]);
  const items = (rows?.results ?? []).map((row) => {
    const { id, name, enabled, fallback } = boundRowSchema.parse(row);
    return { id, name, enabled: enabled === 1, bindingFallback: fallback === 1 };
  });
  return { items, total };
}
