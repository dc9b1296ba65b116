/** An iPhone, by Bark. Pure. */
import { z } from "zod";
import type { Severity } from "../../domain/notice.ts";
import { defineChannel, judgeByBody } from "../channel.ts";
import { serverUrl, token } from "../settings.ts";
import { cutBytes, detailsOf } from "../text.ts";

const settingsSchema = z.object({
  deviceKey: token.meta({ title: "Device key", description: "As the app shows it." }),
  serverUrl: serverUrl
    .default("https://api.day.app")
    .meta({ title: "Server", description: "Only for a Bark server of your own." }),
});

/** How much a phone in silence is disturbed. `critical` needs a right that people rarely give. */
const LEVEL = {
  info: "passive",
  warning: "active",
  error: "timeSensitive",
  critical: "timeSensitive",
} as const satisfies Record<Severity, string>;

/** Apple lets a notification have 4 kB in all. */
const TEXT_BYTES_MAX = 2500;

export const bark = defineChannel({
  id: "bark",
  label: "Bark",
  settingsSchema,
  secrets: ["deviceKey"],
  async render({ deviceKey, serverUrl }, notice) {
    const body = {
      device_key: deviceKey,
      // A message that comes twice replaces itself.
      id: notice.id,
      title: notice.title,
      body: cutBytes(detailsOf(notice), TEXT_BYTES_MAX),
      level: LEVEL[notice.severity],
      group: "edge-relay",
    };
    return {
      kind: "http",
      url: `${serverUrl}/push`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
  },
  judge: judgeByBody(z.object({ code: z.literal(200) })),
});
