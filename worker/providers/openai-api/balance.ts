/** What compatible vendors tell of a key's money: each at its own address, known by its host. Pure. */
import { z } from "zod";
import type { Balance } from "../../domain/balance.ts";
import { parseJson } from "../../domain/json.ts";
import type { BalanceCall } from "../provider.ts";

interface Vendor {
  readonly url: string;
  readonly parse: (json: unknown) => Balance | null;
}

const money = (amounts: Balance["amounts"]): Balance => ({ amounts, windows: [] });

/** DeepSeek API reference, "Get User Balance": amounts are text. */
const deepSeekSchema = z.object({
  balance_infos: z.array(z.object({ currency: z.string().max(10), total_balance: z.coerce.number() })),
});
/** OpenRouter API reference, "Get remaining credits": dollars bought and spent. */
const openRouterSchema = z.object({ data: z.object({ total_credits: z.number(), total_usage: z.number() }) });
/** Moonshot API reference, "Check Balance": in the currency of the site. */
const moonshotSchema = z.object({ data: z.object({ available_balance: z.number() }) });

const moonshot = (host: string, currency: string): Vendor => ({
  url: `https://${host}/v1/users/me/balance`,
  parse(json) {
    const parsed = moonshotSchema.safeParse(json);
    return parsed.success ? money([{ currency, remaining: parsed.data.data.available_balance }]) : null;
  },
});

const VENDORS: ReadonlyMap<string, Vendor> = new Map([
  [
    "api.deepseek.com",
    {
      url: "https://api.deepseek.com/user/balance",
      parse(json) {
        const parsed = deepSeekSchema.safeParse(json);
        if (!parsed.success) return null;
        return money(
          parsed.data.balance_infos.map(({ currency, total_balance: remaining }) => ({
            currency,
            remaining,
          })),
        );
      },
    },
  ],
  [
    "openrouter.ai",
    {
      url: "https://openrouter.ai/api/v1/credits",
      parse(json) {
        const parsed = openRouterSchema.safeParse(json);
        if (!parsed.success) return null;
        const { total_credits: bought, total_usage: spent } = parsed.data.data;
        return money([{ currency: "USD", remaining: bought - spent }]);
      },
    },
  ],
  ["api.moonshot.ai", moonshot("api.moonshot.ai", "USD")],
  ["api.moonshot.cn", moonshot("api.moonshot.cn", "CNY")],
]);

/** null: nothing is known of the vendor at this address. */
export function balanceCall(apiKey: string, baseUrl: string | null): BalanceCall | null {
  const host = baseUrl === null || !URL.canParse(baseUrl) ? "" : new URL(baseUrl).hostname;
  const vendor = VENDORS.get(host);
  if (vendor === undefined) return null;
  return {
    url: vendor.url,
    headers: new Headers({ authorization: `Bearer ${apiKey}`, accept: "application/json" }),
    parse: (text) => vendor.parse(parseJson(text)),
  };
}
