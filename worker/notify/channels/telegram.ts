/** A Telegram chat, by a bot. Pure. */
import { z } from "zod";
import { defineChannel, judgeByBody } from "../channel.ts";
import { serverUrl } from "../settings.ts";
import { cut, textOf } from "../text.ts";

const settingsSchema = z.object({
  botToken: z
    .string()
    .trim()
    .regex(/^\d{1,20}:[\w-]{10,100}$/, "must be a bot's token, such as 123456:ABC-…")
    .meta({ title: "Bot token", description: "From @BotFather." }),
  chatId: z
    .string()
    .trim()
    .regex(/^(-?\d{1,20}|@\w{3,64})$/, "must be a chat's number, or a channel's @name")
    .meta({ title: "Chat", description: "The chat's number, or a public channel's @name." }),
  apiBaseUrl: serverUrl
    .default("https://api.telegram.org")
    .meta({ title: "API address", description: "Only for a Bot API server of your own." }),
});

const TEXT_LENGTH_MAX = 4096;

export const telegram = defineChannel({
  id: "telegram",
  label: "Telegram",
  settingsSchema,
  secrets: ["botToken"],
  async render({ botToken, chatId, apiBaseUrl }, notice) {
    const body = {
      chat_id: chatId,
      text: cut(textOf(notice), TEXT_LENGTH_MAX),
      link_preview_options: { is_disabled: true },
    };
    return {
      kind: "http",
      url: `${apiBaseUrl}/bot${botToken}/sendMessage`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
  },
  judge: judgeByBody(z.object({ ok: z.literal(true) })),
});
