/** Second factors in D1: seeds sealed, recovery codes as hashes, and whoever has a right password waiting for theirs. */
import { z } from "zod";
import { personIdSchema, type EpochMs, type PersonId } from "../domain/ids.ts";
import type { FactorKind } from "../domain/second-factor.ts";
import { alone, type Commit } from "./commit.ts";
import type { Sealed } from "./seal.ts";

const kindsSchema = z.object({ totp: z.number(), passkey: z.number(), recovery: z.number() });

/** What a person may prove themselves with; none: the password will do. */
export async function factorsOf(db: D1Database, id: PersonId): Promise<FactorKind[]> {
  const row = await db
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM person_totp WHERE person_id = ?1 AND confirmed_at IS NOT NULL) AS totp,
         EXISTS (SELECT 1 FROM person_passkey WHERE person_id = ?1) AS passkey,
         EXISTS (SELECT 1 FROM person_recovery_code WHERE person_id = ?1) AS recovery`,
    )
    .bind(id)
    .first();
  const has = kindsSchema.parse(row);
  return (["totp", "passkey", "recovery"] as const).filter((kind) => has[kind] === 1);
}

const totpSchema = z.object({
  seed: z.string().transform((text) => text as Sealed),
  confirmedAt: z.number().nullable(),
});
export type StoredTotp = Readonly<z.output<typeof totpSchema>>;

export async function findTotp(db: D1Database, id: PersonId): Promise<StoredTotp | null> {
  const row = await db
    .prepare("SELECT seed, confirmed_at AS confirmedAt FROM person_totp WHERE person_id = ?")
    .bind(id)
    .first();
  return row === null ? null : totpSchema.parse(row);
}

/** The seed of a person's app is sealed for them, and for nothing else of theirs. */
export const seedOwner = (id: PersonId): string => `totp:${id}`;

const seedRow = z.object({ personId: personIdSchema, seed: z.string().transform((text) => text as Sealed) });

export async function seedsUnderOlderKeys(db: D1Database, newest: string, limit: number) {
  const { results } = await db
    .prepare(
      `SELECT person_id AS personId, seed FROM person_totp WHERE substr(seed, 1, instr(seed, '.') - 1) <> ?
       LIMIT ?`,
    )
    .bind(newest, limit)
    .all();
  return results.map((row) => seedRow.parse(row));
}

/** The same seed under a newer key. */
export async function resealSeed(db: D1Database, id: PersonId, before: Sealed, after: Sealed): Promise<void> {
  await db
    .prepare("UPDATE person_totp SET seed = ?3 WHERE person_id = ?1 AND seed = ?2")
    .bind(id, before, after)
    .run();
}

/** Begins anew with every seed that was not confirmed. @returns false when there is one in use */
export async function saveSeed(db: D1Database, id: PersonId, seed: Sealed): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `INSERT INTO person_totp (person_id, seed) VALUES (?1, ?2)
       ON CONFLICT (person_id) DO UPDATE SET seed = ?2, last_step = 0 WHERE confirmed_at IS NULL`,
    )
    .bind(id, seed)
    .run();
  return meta.changes > 0;
}

/** @returns false when a code of this period, or of a later one, was used before */
export async function useStep(db: D1Database, id: PersonId, step: number): Promise<boolean> {
  const { meta } = await db
    .prepare("UPDATE person_totp SET last_step = ?2 WHERE person_id = ?1 AND last_step < ?2")
    .bind(id, step)
    .run();
  return meta.changes > 0;
}

/** From now on the person is asked for codes. */
export async function confirmTotp(
  db: D1Database,
  { id, hashes, now }: { readonly id: PersonId; readonly hashes: readonly string[]; readonly now: EpochMs },
  commit: Commit,
): Promise<void> {
  await commit([
    db.prepare("UPDATE person_totp SET confirmed_at = ?2 WHERE person_id = ?1").bind(id, now),
    db.prepare("DELETE FROM person_recovery_code WHERE person_id = ?").bind(id),
    ...hashes.map((hash) =>
      db.prepare("INSERT INTO person_recovery_code (person_id, hash) VALUES (?, ?)").bind(id, hash),
    ),
  ]);
}

/** @returns false when there is no such code, or no more */
export async function useRecoveryCode(db: D1Database, id: PersonId, hash: string): Promise<boolean> {
  const { meta } = await db
    .prepare("DELETE FROM person_recovery_code WHERE person_id = ? AND hash = ?")
    .bind(id, hash)
    .run();
  return meta.changes > 0;
}

const deletions = (db: D1Database, id: PersonId, tables: readonly string[]): D1PreparedStatement[] =>
  tables.map((table) => db.prepare(`DELETE FROM ${table} WHERE person_id = ?`).bind(id));

/** Without the app there is nothing to recover from. */
export async function removeTotp(db: D1Database, id: PersonId, commit: Commit): Promise<void> {
  await commit(deletions(db, id, ["person_totp", "person_recovery_code"]));
}

const FACTOR_TABLES = ["person_totp", "person_recovery_code", "person_passkey", "sign_in_ticket"] as const;

/** For the transaction that takes all of a person's second factors away. */
export const withoutFactors = (db: D1Database, id: PersonId): D1PreparedStatement[] =>
  deletions(db, id, FACTOR_TABLES);

export async function removeFactors(db: D1Database, id: PersonId, commit: Commit): Promise<void> {
  await commit(withoutFactors(db, id));
}

export interface Ticket {
  readonly hash: string;
  readonly personId: PersonId;
  readonly expiresAt: EpochMs;
}

/** Notes a password that was right, and forgets tickets that are over. */
export async function addTicket(db: D1Database, ticket: Ticket, now: EpochMs): Promise<void> {
  await alone(db)([
    db.prepare("DELETE FROM sign_in_ticket WHERE expires_at <= ?").bind(now),
    db
      .prepare("INSERT INTO sign_in_ticket (hash, person_id, expires_at) VALUES (?, ?, ?)")
      .bind(ticket.hash, ticket.personId, ticket.expiresAt),
  ]);
}

/** A ticket is good for so many tries. */
const TRIES_MAX = 5;

/** Counts a try before it is looked at. @returns whose ticket it is; null: there is none, or no try left */
export async function tryTicket(db: D1Database, hash: string, now: EpochMs): Promise<PersonId | null> {
  const row = await db
    .prepare(
      `UPDATE sign_in_ticket SET tries = tries + 1
       WHERE hash = ?1 AND expires_at > ?2 AND tries < ${String(TRIES_MAX)} RETURNING person_id AS personId`,
    )
    .bind(hash, now)
    .first();
  return row === null ? null : z.object({ personId: personIdSchema }).parse(row).personId;
}

/** @returns false when another has taken it */
export async function takeTicket(db: D1Database, hash: string): Promise<boolean> {
  const { meta } = await db.prepare("DELETE FROM sign_in_ticket WHERE hash = ?").bind(hash).run();
  return meta.changes > 0;
}
