/**
 * Where the audit log had come to, kept in KV: a chain by itself does not show that its end was cut off. Whoever can
 * write to D1 alone cannot take this back.
 */
import { z } from "zod";
import type { EpochMs } from "../domain/ids.ts";
import { auditHead, type AuditHead } from "./audit.ts";

const ANCHOR = "audit-anchor";
const anchorSchema = z.object({ seq: z.number(), hash: z.string(), at: z.number() });
export type AuditAnchor = Readonly<z.infer<typeof anchorSchema>>;

/** null: there is none yet. */
export async function readAnchor(kv: KVNamespace): Promise<AuditAnchor | null> {
  const value = await kv.get(ANCHOR, "json");
  return value === null ? null : anchorSchema.parse(value);
}

/** Whether the log still has the entry that the anchor was set at. */
export async function holds(db: D1Database, { seq, hash }: AuditHead): Promise<boolean> {
  const row = await db
    .prepare("SELECT 1 FROM audit_entry WHERE seq = ? AND hash = ?")
    .bind(seq, hash)
    .first();
  return row !== null;
}

/** Sets the anchor at the log's end. @returns false when the log no longer has what the anchor was set at */
export async function moveAnchor(db: D1Database, kv: KVNamespace, now: EpochMs): Promise<boolean> {
  const [anchor, head] = [await readAnchor(kv), await auditHead(db)];
  if (anchor !== null && !(await holds(db, anchor))) return false;
  if (head.seq > (anchor?.seq ?? 0)) await kv.put(ANCHOR, JSON.stringify({ ...head, at: now }));
  return true;
}
