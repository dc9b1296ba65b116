/** A credential as people may see it: enough to tell two apart, not enough to use. Pure. */

/** Secrets shorter than this show nothing: their ends would be most of them. */
const SHOWN_LENGTH_MIN = 20;
const SECRET_LENGTH_MIN = 8;

const maskText = (text: string): string => {
  if (text.length < SECRET_LENGTH_MIN) return "••••";
  return text.length < SHOWN_LENGTH_MIN ? `••••${text.slice(-2)}` : `${text.slice(0, 6)}…${text.slice(-4)}`;
};

export function maskCredential(credential: unknown): Readonly<Record<string, string>> {
  if (typeof credential !== "object" || credential === null) return {};
  const masked = Object.entries(credential).flatMap(([name, value]) => {
    if (typeof value === "string") return value === "" ? [] : [[name, maskText(value)]];
    return [];
  });
  return Object.fromEntries(masked) as Record<string, string>;
}
