/** A receiver of the operator's own: the whole notice as JSON, signed. Pure. */
import { z } from "zod";
import { defineChannel } from "../channel.ts";
import { hmacHex } from "../hmac.ts";
import { secretUrl } from "../settings.ts";

const settingsSchema = z.object({
  url: secretUrl.meta({ title: "Address", description: "Is sent a POST for each notification." }),
  secret: z
    .string()
    .min(16, "must have at least 16 characters")
    .max(200)
    .meta({ title: "Signing secret", description: "Proves to the receiver that a message is genuine." }),
});

export const webhook = defineChannel({
  id: "webhook",
  label: "Webhook",
  settingsSchema,
  secrets: ["url", "secret"],
  async render({ url, secret }, { id, kind, severity, title, lines, at, subject }, now) {
    const timestamp = String(Math.floor(now / 1000));
    const when = new Date(at).toISOString();
    const body = JSON.stringify({ id, kind, severity, title, lines, at: when, subject });
    return {
      kind: "http",
      url,
      headers: {
        "content-type": "application/json",
        "x-relay-event": kind,
        "x-relay-event-id": id,
        "x-relay-timestamp": timestamp,
        "x-relay-signature": `sha256=${await hmacHex(secret, `${timestamp}.${body}`)}`,
      },
      body,
    };
  },
});
