/** A WeCom group, by a group robot. Pure. */
import { z } from "zod";
import { defineChannel, judgeByBody } from "../channel.ts";
import { secretUrl } from "../settings.ts";
import { cutBytes, textOf } from "../text.ts";

const settingsSchema = z.object({
  url: secretUrl.meta({
    title: "Webhook address",
    description: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…",
  }),
});

/** Of a message of type `text`. */
const TEXT_BYTES_MAX = 2048;

export const wecom = defineChannel({
  id: "wecom",
  label: "WeCom",
  settingsSchema,
  secrets: ["url"],
  async render({ url }, notice) {
    const body = { msgtype: "text", text: { content: cutBytes(textOf(notice), TEXT_BYTES_MAX) } };
    return {
      kind: "http",
      url,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
  },
  judge: judgeByBody(z.object({ errcode: z.literal(0) })),
});
