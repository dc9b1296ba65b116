/** The audit log in D1: one chain of entries that only grows. */
import { z } from "zod";
import type { AuditAction, AuditEntry, AuditNote } from "../domain/audit.ts";
import { RelayError } from "../domain/errors.ts";
import { personIdSchema } from "../domain/ids.ts";
import type { AuditKeys, Link } from "./audit-hash.ts";
import type { Commit } from "./commit.ts";

/** Who loses a race for the next place tries again; each time somebody's change went through. */
const TRIES_MAX = 100;

export const auditRowSchema = z
  .object({
    seq: z.number(),
    at: z.number(),
    actor_id: personIdSchema.nullable(),
    actor_name: z.string(),
    action: z.string(),
    target: z.string(),
    before: z.string().nullable(),
    after: z.string().nullable(),
    key_id: z.string(),
    previous: z.string(),
    hash: z.string(),
  })
  .transform(({ actor_id, actor_name, key_id, hash, action, ...row }) => ({
    hash,
    link: {
      ...row,
      // Rows of other versions may have actions that this one has no word for.
      action: action as AuditAction,
      actor: { id: actor_id, name: actor_name },
      keyId: key_id,
    } satisfies Link,
  }));

const headSchema = z.object({ seq: z.number(), hash: z.string() });
export type AuditHead = Readonly<z.infer<typeof headSchema>>;

/** The newest entry; before the first, a place for it. */
export async function auditHead(db: D1Database): Promise<AuditHead> {
  const row = await db.prepare("SELECT seq, hash FROM audit_entry ORDER BY seq DESC LIMIT 1").first();
  return row === null ? { seq: 0, hash: "" } : headSchema.parse(row);
}

type HashedLink = Link & { readonly hash: string };

const COLUMNS = "seq, at, actor_id, actor_name, action, target, before, after, key_id, previous, hash";
/** D1 takes a hundred parameters a statement. */
const ENTRIES_PER_STATEMENT = 9;

const valuesOf = (link: HashedLink) => [
  link.seq,
  link.at,
  link.actor.id,
  link.actor.name,
  link.action,
  link.target,
  link.before,
  link.after,
  link.keyId,
  link.previous,
  link.hash,
];

function insertions(db: D1Database, links: readonly HashedLink[]): D1PreparedStatement[] {
  const statements: D1PreparedStatement[] = [];
  for (let from = 0; from < links.length; from += ENTRIES_PER_STATEMENT) {
    const rows = links.slice(from, from + ENTRIES_PER_STATEMENT).map(valuesOf);
    const places = rows.map((row) => `(${row.map(() => "?").join()})`).join();
    const sql = `INSERT INTO audit_entry (${COLUMNS}) VALUES ${places}`;
    statements.push(db.prepare(sql).bind(...rows.flat()));
  }
  return statements;
}

/** Entries behind the newest one, each with the hash of the one before it. */
async function chained(notes: readonly AuditNote[], head: AuditHead, keys: AuditKeys) {
  const links: HashedLink[] = [];
  let { seq, hash: previous } = head;
  for (const note of notes) {
    seq++;
    const link: Link = { ...note, seq, keyId: keys.newest, previous };
    previous = (await keys.hash(link)) ?? "";
    links.push({ ...link, hash: previous });
  }
  return links;
}

const isPlaceTaken = (error: unknown): boolean =>
  error instanceof Error && error.message.includes("UNIQUE constraint failed: audit_entry.");

export interface AuditLog {
  readonly db: D1Database;
  readonly keys: AuditKeys;
}

/**
 * A change and its entries, both or neither: they are one transaction. If another entry came first, the transaction is
 * undone and made again behind that one.
 *
 * @param isNeeded asked before each try, when the log is known to end where the entries would go
 */
export const withEntries =
  (
    { db, keys }: AuditLog,
    notes: readonly AuditNote[],
    isNeeded: () => Promise<boolean> = async () => true,
  ): Commit =>
  async (statements) => {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const head = await auditHead(db);
      if (!(await isNeeded())) return [];
      const entries = insertions(db, await chained(notes, head, keys));
      try {
        return (await db.batch([...statements, ...entries])).slice(0, statements.length);
      } catch (error) {
        if (!isPlaceTaken(error)) throw error;
      }
    }
    throw new RelayError("conflict", "Too many changes are made at once. Try again.");
  };

/** The same for a change with one entry. */
export const withEntry = (log: AuditLog, note: AuditNote, isNeeded?: () => Promise<boolean>): Commit =>
  withEntries(log, [note], isNeeded);

/** Whether there is an entry that says the same since then. */
export async function isNoted(
  db: D1Database,
  { action, target, after }: Pick<AuditNote, "action" | "target" | "after">,
  since: number,
): Promise<boolean> {
  const row = await db
    .prepare("SELECT 1 FROM audit_entry WHERE target = ? AND action = ? AND after IS ? AND at >= ? LIMIT 1")
    .bind(target, action, after, since)
    .first();
  return row !== null;
}

export interface AuditFilter {
  /** Epoch ms, inclusive. */
  readonly from: number | undefined;
  /** Epoch ms, exclusive. */
  readonly to: number | undefined;
  /** A person's id. */
  readonly actor: string | undefined;
  readonly action: string | undefined;
  readonly target: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

const fieldsOf = (text: string | null) =>
  text === null ? null : z.record(z.string(), z.unknown()).parse(JSON.parse(text));

function toEntry(value: unknown): AuditEntry {
  const { seq, at, actor, action, target, before, after } = auditRowSchema.parse(value).link;
  return { seq, at, actor, action, target, before: fieldsOf(before), after: fieldsOf(after) };
}

/** Entries, the newest first. */
export async function findAudit(
  db: D1Database,
  filter: AuditFilter,
): Promise<{ items: AuditEntry[]; total: number }> {
  const conditions = [
    ["at >= ?", filter.from],
    ["at < ?", filter.to],
    ["actor_id = ?", filter.actor],
    ["action = ?", filter.action],
    ["target = ?", filter.target],
  ] as const;
  const given = conditions.filter(([, value]) => value !== undefined);
  const where = given.length === 0 ? "" : `WHERE ${given.map(([condition]) => condition).join(" AND ")}`;
  const values = given.map(([, value]) => value);
  const [page, count] = await db.batch([
    db
      .prepare(`SELECT * FROM audit_entry ${where} ORDER BY seq DESC LIMIT ? OFFSET ?`)
      .bind(...values, filter.limit, filter.offset),
    db.prepare(`SELECT count(*) AS total FROM audit_entry ${where}`).bind(...values),
  ]);
  const { total } = z.object({ total: z.number() }).parse(count?.results[0]);
  return { items: (page?.results ?? []).map(toEntry), total };
}
