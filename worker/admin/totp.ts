/** Codes of authenticator apps (RFC 6238): six digits, a new one every thirty seconds. */

const PERIOD_MS = 30_000;
/** RFC 4226 wants 16 bytes at least and recommends 20. */
const SEED_BYTES = 20;
const ISSUER = "edge-relay";
/** Periods that an app's clock may be wrong by. */
const WINDOW = 1;

/** Loaded by whoever needs it: no request of the relay does. */
const otp = async () => import("otpauth");

const settings = { issuer: ISSUER, algorithm: "SHA1", digits: 6, period: PERIOD_MS / 1000 } as const;

/** @returns base32 */
export async function newSeed(): Promise<string> {
  const { Secret } = await otp();
  return new Secret({ buffer: crypto.getRandomValues(new Uint8Array(SEED_BYTES)).buffer }).base32;
}

/** What an app reads from a picture. */
export async function seedUri(seed: string, username: string): Promise<string> {
  const { TOTP } = await otp();
  return new TOTP({ ...settings, label: username, secret: seed }).toString();
}

/** The period that a code is of; null: it is of none that could be now. */
export async function stepOf(seed: string, code: string, now: number): Promise<number | null> {
  const { TOTP } = await otp();
  const delta = new TOTP({ ...settings, secret: seed }).validate({
    token: code,
    timestamp: now,
    window: WINDOW,
  });
  return delta === null ? null : Math.floor(now / PERIOD_MS) + delta;
}
