/** A DingTalk group, by a custom bot. Pure. */
import { z } from "zod";
import { defineChannel, judgeByBody } from "../channel.ts";
import { hmacBase64 } from "../hmac.ts";
import { optionalToken, secretUrl } from "../settings.ts";
import { cutBytes, textOf } from "../text.ts";

const settingsSchema = z.object({
  url: secretUrl.meta({
    title: "Webhook address",
    description: "https://oapi.dingtalk.com/robot/send?access_token=…",
  }),
  secret: optionalToken.meta({
    title: "Signing secret",
    description: "If the bot asks for signatures (SEC…).",
  }),
});

const TEXT_BYTES_MAX = 15_000;

async function signed(address: string, secret: string | null, now: number): Promise<string> {
  if (secret === null) return address;
  const url = new URL(address);
  url.searchParams.set("timestamp", String(now));
  url.searchParams.set("sign", await hmacBase64(secret, `${String(now)}\n${secret}`));
  return url.href;
}

export const dingtalk = defineChannel({
  id: "dingtalk",
  label: "DingTalk",
  settingsSchema,
  secrets: ["url", "secret"],
  async render({ url, secret }, notice, now) {
    const body = { msgtype: "text", text: { content: cutBytes(textOf(notice), TEXT_BYTES_MAX) } };
    return {
      kind: "http",
      url: await signed(url, secret, now),
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
  },
  judge: judgeByBody(z.object({ errcode: z.literal(0) })),
});
