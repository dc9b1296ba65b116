/** A credential as people may see it: enough to tell two apart, not enough to use. Pure. */

/** Secrets shorter than this show nothing: their ends would be most of them. */
const SHOWN_LENGTH_MIN = 20;
const SECRET_LENGTH_MIN = 8;

const maskText = (text: string): string => {
  if (text.length < SECRET_LENGTH_MIN) return "••••";
  return text.length < SHOWN_LENGTH_MIN ? `••••${text.slice(-2)}` : `${text.slice(0, 6)}…${text.slice(-4)}`;
};

/** Of a list of secrets so many are shown. */
const SHOWN_MAX = 3;

function maskList(values: readonly unknown[]): string {
  const texts = values.filter((value): value is string => typeof value === "string" && value !== "");
  const shown = texts.slice(0, SHOWN_MAX).map(maskText).join(", ");
  return texts.length > SHOWN_MAX ? `${shown} and ${String(texts.length - SHOWN_MAX)} more` : shown;
}

export function maskCredential(credential: unknown): Readonly<Record<string, string>> {
  if (typeof credential !== "object" || credential === null) return {};
  const masked = Object.entries(credential).flatMap(([name, value]) => {
    const text = typeof value === "string" ? maskList([value]) : Array.isArray(value) ? maskList(value) : "";
    return text === "" ? [] : [[name, text]];
  });
  return Object.fromEntries(masked) as Record<string, string>;
}
