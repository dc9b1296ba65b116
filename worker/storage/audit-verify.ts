/** Goes along the audit log's chain and says where it breaks. */
import { z } from "zod";
import { holds, readAnchor } from "./audit-anchor.ts";
import { auditRowSchema, type AuditHead } from "./audit.ts";
import type { AuditKeys } from "./audit-hash.ts";

const ROWS_PER_QUERY = 1000;
/** About a second of CPU; a longer log takes several calls. */
const ROWS_MAX = 20_000;

/**
 * - `missing`: the entry is not there, or does not follow the one before it
 * - `changed`: the entry is not what it was when it was written
 * - `unknown_key`: the key it was hashed with is no longer in ENCRYPTION_KEYS, so nobody can tell
 * - `cut`: the log once went on to here
 */
export const AUDIT_PROBLEMS = ["missing", "changed", "unknown_key", "cut"] as const;
export type AuditProblem = (typeof AUDIT_PROBLEMS)[number];

export type Verification =
  | {
      readonly ok: true;
      /** The last entry that was looked at. */
      readonly through: AuditHead;
      /** The log goes on: ask again, after `through.seq`. */
      readonly more: boolean;
    }
  | { readonly ok: false; readonly brokenAt: number; readonly problem: AuditProblem };

const broken = (brokenAt: number, problem: AuditProblem): Verification => ({ ok: false, brokenAt, problem });

async function rowsAfter(db: D1Database, seq: number): Promise<z.output<typeof auditRowSchema>[]> {
  const { results } = await db
    .prepare("SELECT * FROM audit_entry WHERE seq > ? ORDER BY seq LIMIT ?")
    .bind(seq, ROWS_PER_QUERY)
    .all();
  return results.map((row) => auditRowSchema.parse(row));
}

async function problemOf(
  { link, hash }: z.output<typeof auditRowSchema>,
  before: AuditHead,
  keys: AuditKeys,
): Promise<AuditProblem | null> {
  if (link.seq !== before.seq + 1) return "missing";
  const expected = await keys.hash(link);
  if (expected === null) return "unknown_key";
  if (expected !== hash) return "changed";
  return link.previous === before.hash ? null : "missing";
}

async function start(db: D1Database, after: number): Promise<AuditHead | null> {
  if (after === 0) return { seq: 0, hash: "" };
  const row = await db.prepare("SELECT seq, hash FROM audit_entry WHERE seq = ?").bind(after).first();
  return row === null ? null : z.object({ seq: z.number(), hash: z.string() }).parse(row);
}

/** @param after the last entry that an earlier call found to be well; 0: from the beginning */
export async function verifyAudit(
  { db, kv, keys }: { readonly db: D1Database; readonly kv: KVNamespace; readonly keys: AuditKeys },
  after: number,
): Promise<Verification> {
  let through = await start(db, after);
  if (through === null) return broken(after, "missing");
  for (let looked = 0; looked < ROWS_MAX;) {
    const rows = await rowsAfter(db, through.seq);
    for (const row of rows) {
      const problem = await problemOf(row, through, keys);
      if (problem !== null) return broken(through.seq + 1, problem);
      through = { seq: row.link.seq, hash: row.hash };
    }
    looked += rows.length;
    if (rows.length < ROWS_PER_QUERY) return ended(db, kv, through);
  }
  return { ok: true, through, more: true };
}

async function ended(db: D1Database, kv: KVNamespace, through: AuditHead): Promise<Verification> {
  const anchor = await readAnchor(kv);
  if (anchor !== null && !(await holds(db, anchor))) {
    return broken(Math.min(anchor.seq, through.seq + 1), "cut");
  }
  return { ok: true, through, more: false };
}
