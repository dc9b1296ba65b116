/** Whether a new price table may stand in the place of the one in force. Pure. */
import type { EpochMs } from "../domain/ids.ts";
import { findModel } from "./find-model.ts";
import { priceAt } from "./price.ts";
import type { MatchRule, Price, PricedModel, PriceTable, TokenRates } from "./table.ts";

/** A vendor halves or doubles a price; ten times more, or less, is a misplaced point. */
const FACTOR_MAX = 10;
const LOST_SHARE_MAX = 0.5;

/** Characters, and digits so many times: whatever name it is tried on, that takes no time to speak of. */
const PLAIN_REGEX = /^\^?(?:[\w@:=-]|\\[.[\]/-]|\\d(?:\{\d{1,2}\})?)*\$?$/;

/** The reason in words, with the model; null: it may. */
export function whyRefused(table: PriceTable, known: PriceTable): string | null {
  const strange = strangeRegex(table, known);
  if (strange !== null) return strange;
  const lost = known.models.filter(({ id }) => table.models.every((model) => model.id !== id));
  if (lost.length > known.models.length * LOST_SHARE_MAX) {
    return `${String(lost.length)} of ${String(known.models.length)} models are gone, such as ${lost[0]?.id ?? ""}.`;
  }
  for (const model of known.models) {
    // By name, as a request finds it: an entry before it may have taken its name over.
    const now = findModel(table, model.id);
    const jump = now === null ? null : jumpOf(now, model);
    if (jump !== null) return `${model.id}: ${jump}`;
  }
  return null;
}

function strangeRegex(table: PriceTable, known: PriceTable): string | null {
  const familiar = new Set(known.models.flatMap(({ match }) => regexesOf(match)));
  for (const { id, match } of table.models) {
    const strange = regexesOf(match).find((regex) => !familiar.has(regex) && !PLAIN_REGEX.test(regex));
    if (strange !== undefined) return `${id}: its names are told by an expression that could be slow.`;
  }
  return null;
}

function regexesOf(rule: MatchRule): string[] {
  if ("regex" in rule) return [rule.regex];
  if ("or" in rule) return rule.or.flatMap(regexesOf);
  if ("and" in rule) return rule.and.flatMap(regexesOf);
  return [];
}

/** Each price is compared with the one that was known for its time. */
function jumpOf(model: PricedModel, known: PricedModel): string | null {
  for (const price of model.prices) {
    const at: EpochMs = price.from === null ? 0 : Date.parse(price.from);
    const before = priceAt(known, at);
    if (before !== null) {
      const jump = jumpBetween(before, price);
      if (jump !== null) return jump;
    }
  }
  return null;
}

const longRates = ({ longContext, rates }: Price): TokenRates => longContext?.rates ?? rates;

function jumpBetween(before: Price, after: Price): string | null {
  const pairs: readonly (readonly [string, number, number])[] = [
    ...ratePairs("", before.rates, after.rates),
    ...ratePairs("long context ", longRates(before), longRates(after)),
    ["web searches", before.webSearchNano, after.webSearchNano],
  ];
  for (const [what, from, to] of pairs) {
    if (from === 0) continue;
    if (to === 0) return `the price for ${what} falls to zero.`;
    if (to > from * FACTOR_MAX || from > to * FACTOR_MAX) {
      return `the price for ${what} goes from ${dollars(from)} to ${dollars(to)}.`;
    }
  }
  return null;
}

const ratePairs = (kind: string, before: TokenRates, after: TokenRates) =>
  (["input", "output", "cacheWrite5m", "cacheWrite1h", "cacheRead"] as const).map(
    (name) => [`${kind}${name}`, before[name], after[name]] as const,
  );

/** Per million tokens, or per thousand searches. */
const dollars = (rate: number) => `$${String(rate / 1_000_000)}`;
