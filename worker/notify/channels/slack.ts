/** A Slack channel, by an incoming webhook. Pure. */
import { z } from "zod";
import { defineChannel } from "../channel.ts";
import { secretUrl } from "../settings.ts";
import { cut, detailsOf } from "../text.ts";

const settingsSchema = z.object({
  url: secretUrl.meta({ title: "Webhook address", description: "https://hooks.slack.com/services/…" }),
});

/** Slack cuts messages here itself, and not always well. */
const TEXT_LENGTH_MAX = 10_000;

/** These three begin mentions and links (Slack, "Escaping text"). */
const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

export const slack = defineChannel({
  id: "slack",
  label: "Slack",
  settingsSchema,
  secrets: ["url"],
  async render({ url }, notice) {
    const text = cut(`*${escaped(notice.title)}*\n${escaped(detailsOf(notice))}`, TEXT_LENGTH_MAX);
    const body = { text, unfurl_links: false, unfurl_media: false };
    return {
      kind: "http",
      url,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
  },
});
