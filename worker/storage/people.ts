/** People in D1: who may sign in, and of their passwords only the hash. */
import { z } from "zod";
import { personIdSchema, type EpochMs, type PersonId } from "../domain/ids.ts";
import { parseJson } from "../domain/json.ts";
import { personSchema, type Person } from "../domain/person.ts";
import { alone, type Commit } from "./commit.ts";
import { NEXT_VERSION } from "./directory-version.ts";
import { binning, suspension } from "./owner-keys.ts";
import { withoutFactors } from "./second-factors.ts";

const rowSchema = z.object({ config: z.string(), password: z.string().nullable() });

export interface StoredPerson {
  readonly person: Person;
  /** As `hashPassword` writes it; null: there is none. */
  readonly password: string | null;
}

function parseRow(value: unknown): StoredPerson {
  const row = rowSchema.parse(value);
  return { person: personSchema.parse(JSON.parse(row.config)), password: row.password };
}

/** People, the newest first. */
export async function listPeople(
  db: D1Database,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ items: Person[]; total: number }> {
  const [rows, count] = await db.batch([
    db
      .prepare("SELECT config, password FROM person ORDER BY id DESC LIMIT ? OFFSET ?")
      .bind(page.limit, page.offset),
    db.prepare("SELECT count(*) AS total FROM person"),
  ]);
  const { total } = z.object({ total: z.number() }).parse(count?.results[0]);
  return { items: (rows?.results ?? []).map((row) => parseRow(row).person), total };
}

export async function findPerson(db: D1Database, id: PersonId): Promise<StoredPerson | null> {
  const row = await db.prepare("SELECT config, password FROM person WHERE id = ?").bind(id).first();
  return row === null ? null : parseRow(row);
}

export async function findPersonNamed(db: D1Database, username: string): Promise<StoredPerson | null> {
  const row = await db
    .prepare("SELECT config, password FROM person WHERE username = ?")
    .bind(username)
    .first();
  return row === null ? null : parseRow(row);
}

/** @param subject as `Profile` has it */
export async function findPersonBySubject(db: D1Database, subject: string): Promise<StoredPerson | null> {
  const row = await db.prepare("SELECT config, password FROM person WHERE subject = ?").bind(subject).first();
  return row === null ? null : parseRow(row);
}

/** Somebody who signs in elsewhere is known there by a subject. */
type NewPerson = StoredPerson & { readonly subject?: string };

/** @returns false when the name or the subject is taken */
export async function addPerson(
  db: D1Database,
  { person, password, subject }: NewPerson,
  commit: Commit = alone(db),
): Promise<boolean> {
  const insertion = db
    .prepare(
      "INSERT INTO person (id, username, config, password, subject, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(person.id, person.username, JSON.stringify(person), password, subject ?? null, person.createdAt);
  try {
    await commit([insertion, db.prepare(NEXT_VERSION)]);
    return true;
  } catch (error) {
    // Not `ON CONFLICT DO NOTHING`: whatever else is committed with it must not happen either.
    const isTaken =
      error instanceof Error && /constraint failed: person\.(username|subject)/.test(error.message);
    if (isTaken) return false;
    throw error;
  }
}

/** A row that was not the one that was read leaves no value, and there must be one: all of it is undone. */
const STALE = "NOT NULL constraint failed: person.config";
export const isStalePerson = (error: unknown): boolean =>
  error instanceof Error && error.message.includes(STALE);

export interface PersonChange extends StoredPerson {
  /** The `updatedAt` of what was changed: what others changed in between is never overwritten. */
  readonly basedOn: EpochMs;
  /** Whoever knew the old password, or had more rights, must not go on with them. */
  readonly endsSessions: boolean;
}

/** @param change its password null: as it is. Fails whole, as `isStalePerson` knows, where somebody was faster */
export async function savePerson(
  db: D1Database,
  { person, password, basedOn, endsSessions }: PersonChange,
  commit: Commit = alone(db),
): Promise<void> {
  await commit([
    db
      .prepare(
        `UPDATE person SET password = coalesce(?3, password),
           config = CASE WHEN config ->> 'updatedAt' = ?4 THEN json_set(?2, '$.lastLoginAt', config ->> 'lastLoginAt') END
         WHERE id = ?1`,
      )
      .bind(person.id, JSON.stringify(person), password, basedOn),
    db.prepare(NEXT_VERSION),
    // Their keys follow them.
    suspension(db, person.id, { suspended: !person.enabled, now: person.updatedAt }),
    ...(endsSessions ? endingSessions(db, person.id) : []),
  ]);
}

/** What a person may change of themselves; undefined: as it is. */
export interface OwnFields {
  readonly name: string | undefined;
  readonly email: string | undefined;
  /** As `hashPassword` writes it. */
  readonly password: string | undefined;
}

interface OwnSession {
  readonly id: PersonId;
  readonly now: EpochMs;
  /** The one in which it is asked: a new password ends all others. */
  readonly session: string;
}

/** Only these fields: whatever an owner changes meanwhile stays changed. */
export async function saveOwnFields(
  db: D1Database,
  { id, now, session, ...own }: OwnFields & OwnSession,
  commit: Commit,
): Promise<void> {
  await commit([
    db
      .prepare(
        `UPDATE person SET password = coalesce(?2, password), config = json_set(config, '$.updatedAt', ?5,
           '$.name', coalesce(?3, config ->> 'name'), '$.email', coalesce(?4, config ->> 'email'))
         WHERE id = ?1`,
      )
      .bind(id, own.password ?? null, own.name ?? null, own.email ?? null, now),
    ...(own.password === undefined ? [] : endingSessions(db, id, session)),
  ]);
}

/** What the directory or the provider says of a person, and nothing else. */
export async function saveProfile(
  db: D1Database,
  { id, name, email, role, updatedAt, lastLoginAt }: Person,
  commit: Commit,
): Promise<void> {
  await commit([
    db
      .prepare(
        `UPDATE person SET config = json_set(config, '$.name', ?2, '$.email', ?3, '$.role', ?4,
           '$.updatedAt', ?5, '$.lastLoginAt', ?6) WHERE id = ?1`,
      )
      .bind(id, name, email, role, updatedAt, lastLoginAt),
  ]);
}

/** Only the field: whatever else is changed meanwhile, such as being switched off, stays changed. */
export async function noteLogin(db: D1Database, id: PersonId, now: EpochMs): Promise<void> {
  await db
    .prepare("UPDATE person SET config = json_set(config, '$.lastLoginAt', ?2) WHERE id = ?1")
    .bind(id, now)
    .run();
}

/** Their keys go to the bin; what they used stays. @returns false when there was none */
export async function deletePerson(
  db: D1Database,
  { id, now }: { readonly id: PersonId; readonly now: EpochMs },
  commit: Commit = alone(db),
): Promise<boolean> {
  const [deleted] = await commit([
    db.prepare("DELETE FROM person WHERE id = ?").bind(id),
    db.prepare("DELETE FROM person_session WHERE person_id = ?").bind(id),
    db.prepare(NEXT_VERSION),
    ...withoutFactors(db, id),
    binning(db, id, now),
  ]);
  return (deleted?.meta.changes ?? 0) > 0;
}

export interface Session {
  readonly id: string;
  readonly personId: PersonId;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs;
  /** From where and with what it was begun, as its person is shown it. */
  readonly address: string;
  readonly agent: string;
}

/** Begins a session, and forgets those that are over. */
export async function openSession(
  db: D1Database,
  session: Session,
  commit: Commit = alone(db),
): Promise<void> {
  await commit([
    db.prepare("DELETE FROM person_session WHERE expires_at <= ?").bind(session.createdAt),
    db
      .prepare(
        `INSERT INTO person_session (id, person_id, created_at, expires_at, address, agent)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .bind(
        session.id,
        session.personId,
        session.createdAt,
        session.expiresAt,
        session.address,
        session.agent,
      ),
  ]);
}

const sessionSchema = z.object({
  id: z.string(),
  personId: personIdSchema,
  createdAt: z.number(),
  expiresAt: z.number(),
  address: z.string(),
  agent: z.string(),
});
/** Nobody has as many at once. */
const SESSIONS_MAX = 200;

/** A person's sessions that are not over, the newest first. */
export async function sessionsOf(db: D1Database, id: PersonId, now: EpochMs): Promise<Session[]> {
  const { results } = await db
    .prepare(
      `SELECT id, person_id AS personId, created_at AS createdAt, expires_at AS expiresAt, address, agent
       FROM person_session WHERE person_id = ? AND expires_at > ? ORDER BY created_at DESC, id LIMIT ?`,
    )
    .bind(id, now, SESSIONS_MAX)
    .all();
  return z.array(sessionSchema).parse(results);
}

const sessionRowSchema = z.object({ config: z.string().nullable() });

/** Whose session it is: `null` config is the first owner's, who has no row. null: there is no such session. */
export async function findSession(
  db: D1Database,
  id: string,
  personId: PersonId,
  now: EpochMs,
): Promise<{ readonly person: Person | null } | null> {
  const row = await db
    .prepare(
      `SELECT person.config AS config FROM person_session LEFT JOIN person ON person.id = person_session.person_id
       WHERE person_session.id = ? AND person_session.person_id = ? AND person_session.expires_at > ?`,
    )
    .bind(id, personId, now)
    .first();
  if (row === null) return null;
  const { config } = sessionRowSchema.parse(row);
  if (config === null) return { person: null };
  // A row that does not parse is nobody's: an empty or partial one must never open a door.
  const person = personSchema.safeParse(parseJson(config));
  return person.success ? { person: person.data } : null;
}

export async function closeSession(db: D1Database, id: string, commit: Commit = alone(db)): Promise<void> {
  await commit([db.prepare("DELETE FROM person_session WHERE id = ?").bind(id)]);
}

/** For the transaction that gives a reason: all of a person's sessions, but perhaps the one in which it is asked. */
function endingSessions(db: D1Database, id: PersonId, but: string | null = null): D1PreparedStatement[] {
  return [
    db.prepare("DELETE FROM person_session WHERE person_id = ? AND id IS NOT ?").bind(id, but),
    // A right password that waits for its second factor is half a session.
    db.prepare("DELETE FROM sign_in_ticket WHERE person_id = ?").bind(id),
  ];
}

/** Ends every session of a person. */
export async function closeSessionsOf(db: D1Database, id: PersonId): Promise<void> {
  await db.batch(endingSessions(db, id));
}
