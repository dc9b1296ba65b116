/** Keeps credentials out of what an upstream says back. Pure. */

/** Shorter values are no secrets, and would be found in innocent text. */
const SECRET_LENGTH_MIN = 8;

export function maskSecrets(text: string, credential: unknown): string {
  if (text === "" || typeof credential !== "object" || credential === null) return text;
  return Object.values(credential)
    .flat()
    .reduce<string>(
      (masked, secret) =>
        typeof secret === "string" && secret.length >= SECRET_LENGTH_MIN
          ? masked.replaceAll(secret, "[secret]")
          : masked,
      text,
    );
}
