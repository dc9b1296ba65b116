/** People in D1: who may sign in, and of their passwords only the hash. */
import { z } from "zod";
import type { EpochMs, PersonId } from "../domain/ids.ts";
import { personSchema, type Person } from "../domain/person.ts";
import { alone, type Commit } from "./commit.ts";

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
    await commit([insertion]);
    return true;
  } catch (error) {
    // Not `ON CONFLICT DO NOTHING`: whatever else is committed with it must not happen either.
    const isTaken =
      error instanceof Error && /constraint failed: person\.(username|subject)/.test(error.message);
    if (isTaken) return false;
    throw error;
  }
}

export async function savePerson(
  db: D1Database,
  { person, password }: StoredPerson,
  commit: Commit = alone(db),
): Promise<void> {
  await commit([
    db
      .prepare("UPDATE person SET config = ?2, password = ?3 WHERE id = ?1")
      .bind(person.id, JSON.stringify(person), password),
  ]);
}

/** @returns false when there was none */
export async function deletePerson(
  db: D1Database,
  id: PersonId,
  commit: Commit = alone(db),
): Promise<boolean> {
  const [deleted] = await commit([
    db.prepare("DELETE FROM person WHERE id = ?").bind(id),
    db.prepare("DELETE FROM person_session WHERE person_id = ?").bind(id),
  ]);
  return (deleted?.meta.changes ?? 0) > 0;
}

export interface Session {
  readonly id: string;
  readonly personId: PersonId;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs;
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
      .prepare("INSERT INTO person_session (id, person_id, created_at, expires_at) VALUES (?, ?, ?, ?)")
      .bind(session.id, session.personId, session.createdAt, session.expiresAt),
  ]);
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
  return { person: config === null ? null : personSchema.parse(JSON.parse(config)) };
}

export async function closeSession(db: D1Database, id: string, commit: Commit = alone(db)): Promise<void> {
  await commit([db.prepare("DELETE FROM person_session WHERE id = ?").bind(id)]);
}

/** Ends every session of a person, but perhaps the one in which it is asked. */
export async function closeSessionsOf(
  db: D1Database,
  id: PersonId,
  but: string | null = null,
): Promise<void> {
  await db.prepare("DELETE FROM person_session WHERE person_id = ? AND id IS NOT ?").bind(id, but).run();
}
