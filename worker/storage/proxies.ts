/** Proxies that accounts share, in D1: all but their passwords. */
import { z } from "zod";
import { accountConfigSchema, type AccountConfig } from "../domain/account.ts";
import type { ProxyId } from "../domain/ids.ts";
import { sharedProxySchema, type SharedProxy } from "../domain/shared-proxy.ts";
import { accountStatements } from "./accounts.ts";
import { alone, type Commit } from "./commit.ts";

const rowSchema = z.object({ config: z.string() });
const configIn = (row: unknown): unknown => JSON.parse(rowSchema.parse(row).config);

/** A deployment has some dozens, the oldest first. */
export async function listProxies(db: D1Database): Promise<SharedProxy[]> {
  const { results } = await db.prepare("SELECT config FROM proxy ORDER BY id").all();
  return results.map((row) => sharedProxySchema.parse(configIn(row)));
}

export async function findProxy(db: D1Database, id: ProxyId): Promise<SharedProxy | null> {
  const row = await db.prepare("SELECT config FROM proxy WHERE id = ?").bind(id).first();
  return row === null ? null : sharedProxySchema.parse(configIn(row));
}

/** Accounts that use a shared proxy: this one, or any. */
export async function listProxied(db: D1Database, id: ProxyId | null): Promise<AccountConfig[]> {
  const { results } = await db
    .prepare(
      `SELECT config FROM account WHERE config ->> 'proxyId' IS NOT NULL
       AND (?1 IS NULL OR config ->> 'proxyId' = ?1) ORDER BY id`,
    )
    .bind(id)
    .all();
  return results.map((row) => accountConfigSchema.parse(configIn(row)));
}

/** Stores a proxy, new or changed, together with the accounts that use it. */
export async function saveProxy(
  db: D1Database,
  proxy: SharedProxy,
  accounts: readonly AccountConfig[],
  commit: Commit = alone(db),
): Promise<void> {
  await commit([
    db
      .prepare(
        `INSERT INTO proxy (id, config) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET config = excluded.config`,
      )
      .bind(proxy.id, JSON.stringify(proxy)),
    ...accounts.flatMap((account) => accountStatements(db, account)),
  ]);
}

export async function deleteProxy(db: D1Database, id: ProxyId, commit: Commit = alone(db)): Promise<void> {
  await commit([db.prepare("DELETE FROM proxy WHERE id = ?").bind(id)]);
}
