/** From a model's name, in any of the spellings vendors use, to its entry in the price table. */
import type { MatchRule, PricedModel, PriceTable } from "./table.ts";

/** Longer than any vendor's name for a model; it bounds what a client's invented name may cost in time and memory. */
const NAME_LENGTH_MAX = 200;
/** Remembered names per table: well above the models in use, and some 100 kB when filled with invented names. */
const MEMO_NAMES_MAX = 500;

// `us.anthropic.claude-…` (Bedrock's inference profiles), `anthropic/claude-…` (OpenRouter and others), `azure/gpt-…`
// and `models/gemini-…` (Google's own resource names).
const VENDOR_PREFIX = /^(?:(?:us|eu|apac|global)\.)?(?:(?:anthropic|openai)[./]|(?:azure|google|models)\/)?/;
// `[1m]` asks Claude Code for the long context, `-v1:0` is Bedrock's revision, `@20251001` Vertex's date,
// `-2026-10-01` OpenAI's.
const SUFFIXES = [/\[1m\]$/, /-v\d+(?::\d+)?$/, /@\d{8}$/, /-\d{8}$/, /-\d{4}-\d{2}-\d{2}$/];

const memos = new WeakMap<PriceTable, Map<string, PricedModel | null>>();

/** The entry whose rule fits the name, else the one that fits it without decorations, else null: never a guess. */
export function findModel(table: PriceTable, name: string): PricedModel | null {
  if (name.length > NAME_LENGTH_MAX) return null;
  const memo = memoOf(table);
  const known = memo.get(name);
  if (known !== undefined) return known;
  // Emptying it whole is enough: the few names in real use are found again within microseconds.
  if (memo.size >= MEMO_NAMES_MAX) memo.clear();
  const found = search(table, name);
  memo.set(name, found);
  return found;
}

function memoOf(table: PriceTable): Map<string, PricedModel | null> {
  const existing = memos.get(table);
  if (existing !== undefined) return existing;
  const created = new Map<string, PricedModel | null>();
  memos.set(table, created);
  return created;
}

function search(table: PriceTable, name: string): PricedModel | null {
  for (const spelling of spellings(name.toLowerCase().trim())) {
    const found = table.models.find((model) => fits(model.match, spelling));
    if (found !== undefined) return found;
  }
  return null;
}

/** The name as it came first: an entry may know a dated or prefixed name as a model of its own. */
function spellings(name: string): ReadonlySet<string> {
  const local = name.replace(VENDOR_PREFIX, "");
  return new Set([name, withoutSuffixes(name), local, withoutSuffixes(local)]);
}

function withoutSuffixes(name: string): string {
  return SUFFIXES.reduce((rest, suffix) => rest.replace(suffix, ""), name);
}

function fits(rule: MatchRule, name: string): boolean {
  if ("or" in rule) return rule.or.some((part) => fits(part, name));
  if ("and" in rule) return rule.and.every((part) => fits(part, name));
  if ("equals" in rule) return name === rule.equals.toLowerCase();
  if ("starts_with" in rule) return name.startsWith(rule.starts_with.toLowerCase());
  if ("ends_with" in rule) return name.endsWith(rule.ends_with.toLowerCase());
  if ("contains" in rule) return name.includes(rule.contains.toLowerCase());
  return new RegExp(rule.regex).test(name);
}
