/** Notes in KV how far the audit log has come, so that an end that is cut off shows. */
import type { Env } from "../env.ts";
import { moveAnchor } from "../storage/audit-anchor.ts";

export async function anchorAudit(env: Env, now: number): Promise<void> {
  if (await moveAnchor(env.DB, env.KV, now)) return;
  console.error(
    JSON.stringify({ event: "audit_log_cut", message: "Entries are gone: see GET /admin/audit/verify." }),
  );
}
