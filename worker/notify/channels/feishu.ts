/** A Feishu or Lark group, by a custom bot. Pure. */
import { z } from "zod";
import type { Severity } from "../../domain/notice.ts";
import { defineChannel, judgeByBody } from "../channel.ts";
import { hmacBase64 } from "../hmac.ts";
import { optionalToken, secretUrl } from "../settings.ts";
import { cut, detailsOf } from "../text.ts";

const settingsSchema = z.object({
  url: secretUrl.meta({
    title: "Webhook address",
    description: "https://open.feishu.cn/open-apis/bot/v2/hook/…, or the same at open.larksuite.com",
  }),
  secret: optionalToken.meta({ title: "Signing secret", description: "If the bot asks for signatures." }),
});

const COLOUR = {
  info: "blue",
  warning: "yellow",
  error: "orange",
  critical: "red",
} as const satisfies Record<Severity, string>;

/** A request may have 20 kB. */
const TEXT_LENGTH_MAX = 4000;

/** The key is the text to be signed, and the text is empty: so Feishu has it. */
async function signature(secret: string | null, now: number) {
  if (secret === null) return {};
  const timestamp = String(Math.floor(now / 1000));
  return { timestamp, sign: await hmacBase64(`${timestamp}\n${secret}`, "") };
}

export const feishu = defineChannel({
  id: "feishu",
  label: "Feishu / Lark",
  settingsSchema,
  secrets: ["url", "secret"],
  async render({ url, secret }, notice, now) {
    // Plain text: names cannot call people or make links in it.
    const text = (content: string) => ({ tag: "plain_text", content });
    const card = {
      header: { title: text(notice.title), template: COLOUR[notice.severity] },
      elements: [{ tag: "div", text: text(cut(detailsOf(notice), TEXT_LENGTH_MAX)) }],
    };
    const body = { ...(await signature(secret, now)), msg_type: "interactive", card };
    return {
      kind: "http",
      url,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
  },
  judge: judgeByBody(z.union([z.object({ code: z.literal(0) }), z.object({ StatusCode: z.literal(0) })])),
});
