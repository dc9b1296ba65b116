/** Ids and names of tools within what every dialect allows. Pure. */

/** Anthropic: `^[a-zA-Z0-9_-]+$`; OpenAI: at most 64 characters. */
const ID_LENGTH_MAX = 64;
const NAME_LENGTH_MAX = 64;

/** The same id for the same id, always: a result must find its call again in the next request. */
export function safeToolId(id: string): string {
  const safe = id.replace(/[^a-zA-Z0-9_-]/g, "_");
  if (safe === id && id.length > 0 && id.length <= ID_LENGTH_MAX) return id;
  const sum = checksum(id);
  return `${safe.slice(0, ID_LENGTH_MAX - sum.length - 1)}_${sum}`;
}

/** FNV-1a (32 bits) in hex: tells apart what came to look the same. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** Names that an upstream takes, and the way back to those the client knows. */
export interface ToolNames {
  readonly toUpstream: (name: string) => string;
  readonly toClient: (name: string) => string;
}

/**
 * Names that fit are left as they are; the others lose what is not allowed, and their middle if they are too
 * long, and end in a checksum, so that two never become one.
 *
 * @param allowed every character that a name may have
 */
export function toolNames(names: Iterable<string>, allowed = /^[a-zA-Z0-9_-]$/): ToolNames {
  const [short, full] = [new Map<string, string>(), new Map<string, string>()];
  for (const name of names) {
    const fitting = fittingName(name, allowed);
    short.set(name, fitting);
    full.set(fitting, name);
  }
  return {
    toUpstream: (name) => short.get(name) ?? fittingName(name, allowed),
    toClient: (name) => full.get(name) ?? name,
  };
}

function fittingName(name: string, allowed: RegExp): string {
  const clean = [...name].map((character) => (allowed.test(character) ? character : "_")).join("");
  if (clean === name && name.length > 0 && name.length <= NAME_LENGTH_MAX) return name;
  const sum = checksum(name);
  return `${clean.slice(0, NAME_LENGTH_MAX - sum.length - 1)}_${sum}`;
}
