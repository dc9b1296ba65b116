/** What a call may consume at most, before it runs: what its key holds back for it. Pure. */
import type { EpochMs } from "../domain/ids.ts";
import type { Estimate } from "../domain/permit.ts";
import { NO_USAGE, totalTokens } from "../domain/usage.ts";
import { priceOf } from "../pricing/price.ts";
import type { PriceTable } from "../pricing/table.ts";
import type { ParsedCall } from "../protocols/protocol.ts";

/** On the high side: English prose has four bytes a token, code and most other scripts about three. */
const BYTES_PER_TOKEN = 3;
/** The longest context of any model; images and documents are far more bytes than tokens. */
const INPUT_TOKENS_MAX = 1_000_000;
/** Of a call that names no limit. */
const OUTPUT_TOKENS_DEFAULT = 4096;

/**
 * @param outputTokensMax clients ask for far more output than answers have (Claude Code for 128,000 tokens), and
 * what is held back is denied to others, so no call reserves more than this
 */
export function estimateOf(
  parsed: ParsedCall,
  bodyBytes: number,
  outputTokensMax: number,
  { prices, startedAt }: { readonly prices: PriceTable; readonly startedAt: EpochMs },
): Estimate {
  const tokens = {
    ...NO_USAGE,
    // The dearest kind of input that is common: a prompt that is written to the cache.
    cacheWrite5m: Math.min(INPUT_TOKENS_MAX, Math.ceil(bodyBytes / BYTES_PER_TOKEN)),
    output: Math.min(outputTokensMax, parsed.outputTokensMax ?? OUTPUT_TOKENS_DEFAULT),
  };
  const { cost } = priceOf(
    { tokens, model: parsed.model, serviceTier: null, speed: null },
    startedAt,
    prices,
  );
  return { tokens: totalTokens(tokens), cost };
}
