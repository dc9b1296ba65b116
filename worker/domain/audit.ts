/** The audit log: what is written down of a change, and what never is. Pure. */
import { z } from "zod";
import type { EpochMs, PersonId } from "./ids.ts";

/** What can be done to what. A session that is refused or throttled is one that did not begin. */
export const AUDIT_ACTIONS = [
  "account.create",
  "account.update",
  "account.delete",
  "account.reset",
  "account.refresh",
  "account.forget_failures",
  "proxy.create",
  "proxy.update",
  "proxy.delete",
  "group.save",
  "group.delete",
  "key.create",
  "key.update",
  "key.rotate",
  "key.delete",
  "key.restore",
  "key.erase",
  "key.extend",
  "key.reset_usage",
  "tag.rename",
  "tag.delete",
  "card.create",
  "card.revoke",
  "card.delete",
  "card.redeem",
  "redemption.revoke",
  "channel.create",
  "channel.update",
  "channel.delete",
  "letter.retry",
  "letter.drop",
  "price.save",
  "price.delete",
  "price.reprice",
  "price.refresh",
  "capture.start",
  "capture.stop",
  "capture.read",
  "settings.update",
  "keyring.rotate",
  "usage.reconcile",
  "person.create",
  "person.update",
  "person.delete",
  "person.register",
  "person.reset",
  "totp.enable",
  "totp.disable",
  "passkey.create",
  "passkey.update",
  "passkey.delete",
  "session.open",
  "session.close",
  "session.refuse",
  "session.throttle",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Who did it: a person, or somebody who did not prove who they are. */
export interface Actor {
  readonly id: PersonId | null;
  readonly name: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** A thing before and after; absent where there was none, or is none. */
export interface Change {
  readonly before?: Fields;
  readonly after?: Fields;
}

/** One change on its way into the log. */
export interface AuditNote {
  readonly at: EpochMs;
  readonly actor: Actor;
  readonly action: AuditAction;
  readonly target: string;
  /** JSON without secrets. */
  readonly before: string | null;
  readonly after: string | null;
}

/** An entry as the admin API shows it. */
export const auditEntrySchema = z.object({
  seq: z.number(),
  at: z.number(),
  actor: z.object({ id: z.string().nullable(), name: z.string() }),
  action: z.string(),
  target: z.string(),
  before: z.record(z.string(), z.unknown()).nullable(),
  after: z.record(z.string(), z.unknown()).nullable(),
});
export type AuditEntry = Readonly<z.infer<typeof auditEntrySchema>>;

/** Stands where a secret was given. */
export const MASKED = "***";

/** Callers leave secrets out; this holds even where one forgets. */
const SECRET_NAME =
  /(password|secret|token|credentials?|api[_-]?keys?|private[_-]?key|authorization|cookie)$|^(key|hash|fingerprint)$/i;

const isTelling = (value: unknown): boolean =>
  (typeof value === "string" && value !== "") || typeof value === "number" || typeof value === "object";

/** The same with every secret masked, at any depth. */
export function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      SECRET_NAME.test(name) && field !== null && isTelling(field) ? MASKED : masked(field),
    ]),
  );
}

/** Says nothing that the entry's own time does not. */
const LEFT_OUT = new Set(["updatedAt"]);

/** Of a change, the fields that are not as they were; of a new or deleted thing, all. */
function differing(fields: Fields | undefined, others: Fields | undefined): string | null {
  if (fields === undefined) return null;
  const kept = Object.entries(fields).filter(
    ([name, value]) =>
      !LEFT_OUT.has(name) && (others === undefined || JSON.stringify(value) !== JSON.stringify(others[name])),
  );
  return JSON.stringify(masked(Object.fromEntries(kept)));
}

/** A change as the log keeps it. */
export const written = ({ before, after }: Change): Pick<AuditNote, "before" | "after"> => ({
  before: differing(before, after),
  after: differing(after, before),
});
