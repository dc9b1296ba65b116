/** A topic of ntfy.sh, or of an ntfy server of the operator's own. Pure. */
import { z } from "zod";
import type { Severity } from "../../domain/notice.ts";
import { defineChannel } from "../channel.ts";
import { optionalToken, serverUrl } from "../settings.ts";
import { cutBytes, detailsOf } from "../text.ts";

const settingsSchema = z.object({
  topic: z
    .string()
    .trim()
    .regex(/^[\w-]{1,64}$/, "must have letters, digits, - and _ only")
    .meta({
      title: "Topic",
      description: "Whoever knows it can read it, where the server asks for no token.",
      format: "password",
    }),
  token: optionalToken.meta({ title: "Access token", description: "If the server asks for one." }),
  serverUrl: serverUrl.default("https://ntfy.sh").meta({ title: "Server" }),
});

const PRIORITY = { info: 2, warning: 3, error: 4, critical: 5 } as const satisfies Record<Severity, number>;

/** What is longer becomes an attachment. */
const TEXT_BYTES_MAX = 4000;

export const ntfy = defineChannel({
  id: "ntfy",
  label: "ntfy",
  settingsSchema,
  secrets: ["topic", "token"],
  async render({ topic, token, serverUrl }, notice) {
    const body = {
      topic,
      title: notice.title,
      message: cutBytes(detailsOf(notice), TEXT_BYTES_MAX),
      priority: PRIORITY[notice.severity],
      tags: [notice.kind],
    };
    return {
      kind: "http",
      url: `${serverUrl}/`,
      headers: {
        "content-type": "application/json",
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    };
  },
});
