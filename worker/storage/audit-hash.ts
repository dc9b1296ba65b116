/**
 * The hash that ties an audit entry to the one before it: HMAC-SHA256 over all of its fields. The key is derived from
 * the deployment's keyring, so whoever can write to the database alone cannot make a chain that holds.
 */
import type { AuditNote } from "../domain/audit.ts";
import { toHex } from "../domain/encoding.ts";
import { keyMaterial } from "./seal.ts";

/** An entry without its hash. */
export interface Link extends AuditNote {
  readonly seq: number;
  readonly keyId: string;
  /** The hash of the entry before it; empty: it is the first. */
  readonly previous: string;
}

export interface AuditKeys {
  /** The key that new entries are hashed with. */
  readonly newest: string;
  /** null: its key is not in the keyring. */
  hash(link: Link): Promise<string | null>;
}

const encoder = new TextEncoder();

async function derived(material: Uint8Array): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: encoder.encode("edge-relay audit log") },
    base,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign"],
  );
}

/** Every field has its place in a list, so no two entries are written alike. */
const canonical = ({ seq, at, actor, action, target, before, after, keyId, previous }: Link): string =>
  JSON.stringify([seq, at, actor.id, actor.name, action, target, before, after, keyId, previous]);

/** @param keyring as ENCRYPTION_KEYS has it */
export async function parseAuditKeys(keyring: string): Promise<AuditKeys> {
  const material = keyMaterial(keyring);
  const keys = new Map<string, CryptoKey>();
  for (const [id, bytes] of material) keys.set(id, await derived(bytes));
  const [newest = ""] = keys.keys();
  return {
    newest,
    async hash(link) {
      const key = keys.get(link.keyId);
      if (key === undefined) return null;
      return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(canonical(link)))));
    },
  };
}
