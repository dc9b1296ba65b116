/** Account configurations in D1, and the directory snapshot made from them. */
import { z } from "zod";
import {
  accountConfigSchema,
  directoryEntrySchema,
  type AccountConfig,
  type Directory,
} from "../domain/account.ts";
import { personIdSchema, type AccountId } from "../domain/ids.ts";
import { alone, type Commit } from "./commit.ts";
import { NEXT_VERSION } from "./directory-version.ts";
import { parseGroup, SELECT_GROUPS } from "./groups.ts";

const rowSchema = z.object({ config: z.string() });
const parseRow = (row: unknown): AccountConfig =>
  accountConfigSchema.parse(JSON.parse(rowSchema.parse(row).config));

export async function listAccounts(db: D1Database): Promise<AccountConfig[]> {
  const { results } = await db.prepare("SELECT config FROM account ORDER BY id").all();
  return results.map(parseRow);
}

export async function findAccount(db: D1Database, id: AccountId): Promise<AccountConfig | null> {
  const row = await db.prepare("SELECT config FROM account WHERE id = ?").bind(id).first();
  return row === null ? null : parseRow(row);
}

/** Stores a configuration, new or changed; the directory's version moves in the same transaction. */
export async function saveAccount(
  db: D1Database,
  config: AccountConfig,
  commit: Commit = alone(db),
): Promise<void> {
  await commit(accountStatements(db, config));
}

/** What stores a configuration, for whoever stores more with it. */
export const accountStatements = (db: D1Database, config: AccountConfig): readonly D1PreparedStatement[] => [
  db
    .prepare(
      `INSERT INTO account (id, name, config, created_at) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT DO UPDATE SET name = excluded.name, config = excluded.config`,
    )
    .bind(config.id, config.name, JSON.stringify(config), config.createdAt),
  db.prepare(NEXT_VERSION),
];

export async function deleteAccount(
  db: D1Database,
  id: AccountId,
  commit: Commit = alone(db),
): Promise<void> {
  await commit([db.prepare("DELETE FROM account WHERE id = ?").bind(id), db.prepare(NEXT_VERSION)]);
}

/** People whose keys draw on a common budget. */
const SELECT_PURSES = `SELECT id FROM person WHERE coalesce(config ->> 'dailyCost', 0) > 0
  OR coalesce(config ->> 'weeklyCost', 0) > 0 OR coalesce(config ->> 'totalCost', 0) > 0 ORDER BY id`;

/** What the scheduler works with, as of now. */
export async function readDirectory(db: D1Database): Promise<Directory> {
  const [version, accounts, groups, purses] = await db.batch([
    db.prepare("SELECT version FROM directory_version WHERE id = 1"),
    db.prepare("SELECT config FROM account ORDER BY id"),
    db.prepare(SELECT_GROUPS),
    db.prepare(SELECT_PURSES),
  ]);
  return {
    version: z.object({ version: z.number() }).parse(version?.results[0]).version,
    accounts: (accounts?.results ?? []).map((row) => directoryEntrySchema.parse(parseRow(row))),
    groups: (groups?.results ?? []).map(parseGroup),
    purses: (purses?.results ?? []).map((row) => z.object({ id: personIdSchema }).parse(row).id),
  };
}
