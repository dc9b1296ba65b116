/** Passkeys in D1: their public halves, and what was asked of them. */
import { z } from "zod";
import { personIdSchema, type EpochMs, type PersonId } from "../domain/ids.ts";
import { alone, type Commit } from "./commit.ts";

const COLUMNS = `id, person_id AS personId, public_key AS publicKey, counter, transports, name,
  created_at AS createdAt, last_used_at AS lastUsedAt`;

const passkeySchema = z.object({
  /** As the authenticator named it, base64url. */
  id: z.string(),
  personId: personIdSchema,
  /** COSE, base64url. */
  publicKey: z.string(),
  /** Uses, as the authenticator counts them; 0: it does not. */
  counter: z.number(),
  transports: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
  name: z.string(),
  createdAt: z.number(),
  lastUsedAt: z.number().nullable(),
});
export type Passkey = Readonly<z.output<typeof passkeySchema>>;

/** The oldest first. */
export async function passkeysOf(db: D1Database, id: PersonId): Promise<Passkey[]> {
  const { results } = await db
    .prepare(`SELECT ${COLUMNS} FROM person_passkey WHERE person_id = ? ORDER BY created_at, id`)
    .bind(id)
    .all();
  return z.array(passkeySchema).parse(results);
}

export async function findPasskey(db: D1Database, id: string): Promise<Passkey | null> {
  const row = await db.prepare(`SELECT ${COLUMNS} FROM person_passkey WHERE id = ?`).bind(id).first();
  return row === null ? null : passkeySchema.parse(row);
}

/** @returns false when an authenticator is there already, whosever it is */
export async function addPasskey(db: D1Database, passkey: Passkey, commit: Commit): Promise<boolean> {
  const insertion = db
    .prepare(
      `INSERT INTO person_passkey (id, person_id, public_key, counter, transports, name, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    .bind(
      passkey.id,
      passkey.personId,
      passkey.publicKey,
      passkey.counter,
      JSON.stringify(passkey.transports),
      passkey.name,
      passkey.createdAt,
    );
  try {
    await commit([insertion]);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes("constraint failed: person_passkey.id"))
      return false;
    throw error;
  }
}

export async function renamePasskey(db: D1Database, id: string, name: string, commit: Commit): Promise<void> {
  await commit([db.prepare("UPDATE person_passkey SET name = ?2 WHERE id = ?1").bind(id, name)]);
}

export async function removePasskey(db: D1Database, id: string, commit: Commit): Promise<void> {
  await commit([db.prepare("DELETE FROM person_passkey WHERE id = ?").bind(id)]);
}

/** @returns false when the counter did not go on: a copy of the authenticator may be about */
export async function usePasskey(
  db: D1Database,
  id: string,
  counter: number,
  now: EpochMs,
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `UPDATE person_passkey SET counter = ?2, last_used_at = ?3
       WHERE id = ?1 AND (counter < ?2 OR (counter = 0 AND ?2 = 0))`,
    )
    .bind(id, counter, now)
    .run();
  return meta.changes > 0;
}

/** What a passkey is asked for. */
export type Purpose = "register" | "sign-in" | "factor";

export interface Challenge {
  readonly hash: string;
  readonly purpose: Purpose;
  /** null: whoever has the passkey. */
  readonly personId: PersonId | null;
}

/** Notes what was asked, and forgets what is over. */
export async function addChallenge(
  db: D1Database,
  { hash, purpose, personId }: Challenge,
  { now, expiresAt }: { readonly now: EpochMs; readonly expiresAt: EpochMs },
): Promise<void> {
  await alone(db)([
    db.prepare("DELETE FROM passkey_challenge WHERE expires_at <= ?").bind(now),
    db
      .prepare("INSERT INTO passkey_challenge (hash, purpose, person_id, expires_at) VALUES (?, ?, ?, ?)")
      .bind(hash, purpose, personId, expiresAt),
  ]);
}

/** @returns false when it was not asked, not of them, not for this, too long ago, or answered before */
export async function takeChallenge(
  db: D1Database,
  { hash, purpose, personId }: Challenge,
  now: EpochMs,
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `DELETE FROM passkey_challenge WHERE hash = ? AND purpose = ? AND person_id IS ? AND expires_at > ?`,
    )
    .bind(hash, purpose, personId, now)
    .run();
  return meta.changes > 0;
}
