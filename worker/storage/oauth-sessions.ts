/** Sign-ins that wait for their code, or for a person at another device: single use, sealed, short-lived. */
import { z } from "zod";
import type { Keyring, Sealed } from "./seal.ts";

/** How long a person may take to sign in, in ms. */
export const OAUTH_SESSION_MS = 10 * 60_000;

/** What the person signs in for: an account that renews itself, or a long-lived token. */
export const SIGN_IN_WAYS = ["sign_in", "setup_token"] as const;
export type SignInWay = (typeof SIGN_IN_WAYS)[number];

const secretsSchema = z.union([
  z.object({ state: z.string(), verifier: z.string(), way: z.enum(SIGN_IN_WAYS).default("sign_in") }),
  z.object({ deviceCode: z.string(), intervalMs: z.number() }),
]);
export type OAuthSecrets = z.infer<typeof secretsSchema>;

export interface OAuthSession {
  readonly id: string;
  readonly provider: string;
  /** The session of the admin who began it: it cannot be finished from any other. */
  readonly admin: string;
  readonly secrets: OAuthSecrets;
  readonly expiresAt: number;
}

interface Claim {
  readonly id: string;
  readonly admin: string;
  readonly now: number;
}

type Waiting = Pick<OAuthSession, "provider" | "secrets">;

const rowSchema = z.object({ provider: z.string(), secrets: z.string().transform((text) => text as Sealed) });

export async function openOAuthSession(
  db: D1Database,
  keyring: Keyring,
  session: OAuthSession,
): Promise<void> {
  const secrets = await keyring.seal(JSON.stringify(session.secrets), session.id);
  await db.batch([
    db.prepare("DELETE FROM oauth_session WHERE expires_at <= ?").bind(session.expiresAt - OAUTH_SESSION_MS),
    db
      .prepare("INSERT INTO oauth_session (id, provider, admin, secrets, expires_at) VALUES (?, ?, ?, ?, ?)")
      .bind(session.id, session.provider, session.admin, secrets, session.expiresAt),
  ]);
}

/** Takes a session out, so that it works once; null when it is unknown, used, expired or another admin's. */
export async function takeOAuthSession(
  db: D1Database,
  keyring: Keyring,
  { id, admin, now }: Claim,
): Promise<Waiting | null> {
  const row = await db
    .prepare(
      "DELETE FROM oauth_session WHERE id = ? AND admin = ? AND expires_at > ? RETURNING provider, secrets",
    )
    .bind(id, admin, now)
    .first();
  return openRow(keyring, id, row);
}

/** The same without taking it out: a person who is not done at the other device asks again. */
export async function findOAuthSession(
  db: D1Database,
  keyring: Keyring,
  { id, admin, now }: Claim,
): Promise<Waiting | null> {
  const row = await db
    .prepare("SELECT provider, secrets FROM oauth_session WHERE id = ? AND admin = ? AND expires_at > ?")
    .bind(id, admin, now)
    .first();
  return openRow(keyring, id, row);
}

async function openRow(keyring: Keyring, id: string, row: unknown): Promise<Waiting | null> {
  if (row === null) return null;
  const { provider, secrets } = rowSchema.parse(row);
  const { plaintext } = await keyring.open(secrets, id);
  return { provider, secrets: secretsSchema.parse(JSON.parse(plaintext)) };
}
