/** A Discord channel, by a webhook. Pure. */
import { z } from "zod";
import type { Severity } from "../../domain/notice.ts";
import { defineChannel } from "../channel.ts";
import { secretUrl } from "../settings.ts";
import { cut } from "../text.ts";

const settingsSchema = z.object({
  url: secretUrl.meta({ title: "Webhook address", description: "https://discord.com/api/webhooks/…" }),
});

const COLOUR = {
  info: 0x2196f3,
  warning: 0xffc107,
  error: 0xff7043,
  critical: 0xd32f2f,
} as const satisfies Record<Severity, number>;

/** Discord's limits of an embed. */
const TITLE_LENGTH_MAX = 256;
const TEXT_LENGTH_MAX = 4096;

const escaped = (text: string) => text.replace(/[\\*_~`|>#[\]]/g, "\\$&");

export const discord = defineChannel({
  id: "discord",
  label: "Discord",
  settingsSchema,
  secrets: ["url"],
  async render({ url }, { title, lines, severity, at }) {
    const embed = {
      title: cut(escaped(title), TITLE_LENGTH_MAX),
      description: cut(lines.map(escaped).join("\n"), TEXT_LENGTH_MAX),
      color: COLOUR[severity],
      timestamp: new Date(at).toISOString(),
    };
    // Whatever a name says, nobody is called by it.
    const body = { embeds: [embed], allowed_mentions: { parse: [] } };
    return {
      kind: "http",
      url,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
  },
});
