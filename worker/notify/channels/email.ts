/** E-mail, by a mail server of the operator's (SMTP submission). Pure. */
import { z } from "zod";
import { defineChannel } from "../channel.ts";
import { mailContent } from "../mail-content.ts";

const LENGTH_MAX = 255;
const host = z
  .string()
  .trim()
  .regex(/^([a-z\d_]([a-z\d_.-]*[a-z\d])?|[\da-f:.]*:[\da-f:.]*)$/i, "must be a host name or an IP address")
  .max(LENGTH_MAX);
const address = z.email("must be an e-mail address").max(LENGTH_MAX);
const optionalText = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, "must not contain control characters")
  .max(LENGTH_MAX)
  .nullable()
  .default(null)
  .transform((text) => (text === "" ? null : text));

const settingsSchema = z
  .object({
    host: host.meta({ title: "Mail server" }),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .refine((port) => port !== 25, "must not be 25, which Cloudflare blocks: use 465 or 587")
      .default(587)
      .meta({ title: "Port" }),
    security: z
      .enum(["starttls", "tls", "none"])
      .default("starttls")
      .meta({ title: "Encryption", description: "starttls as a rule with port 587, tls with 465." }),
    username: optionalText.meta({ title: "User name" }),
    password: optionalText.meta({ title: "Password", format: "password" }),
    from: address.meta({ title: "Sender" }),
    to: z.array(address).min(1, "is required").max(20).meta({ title: "Recipients" }),
  })
  .check(({ value, issues }) => {
    const refuse = (path: string, message: string) =>
      issues.push({ code: "custom", path: [path], message, input: value });
    if ((value.username === null) !== (value.password === null))
      refuse("password", "a user name and a password go together");
    if (value.password !== null && value.security === "none")
      refuse("security", "must not be none beside a password, which anybody on the way could read");
  });

export const email = defineChannel({
  id: "email",
  label: "E-mail",
  settingsSchema,
  secrets: ["password"],
  async render({ host, port, security, username, password, from, to }, notice, now) {
    return {
      kind: "mail",
      server: { host, port, security, username, password },
      from,
      to,
      content: mailContent(notice, { from, to }, now),
    };
  },
});
