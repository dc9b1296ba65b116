/** Notification channels, by the paths and names of claude-relay-service. */
import { z } from "zod";
import { pageOf } from "../answers.ts";
import { channelAnswer, receiptAnswer } from "../notification-answers.ts";
import { alias, given, single, type Alias } from "./alias.ts";

/** Kinds that are called otherwise there. */
const TYPES: Readonly<Record<string, string>> = { wechat_work: "wecom", custom: "webhook", smtp: "email" };
const oldType = (type: string): string =>
  Object.entries(TYPES).find(([, ours]) => ours === type)?.[0] ?? type;

/** What says nothing of how a receiver is reached. */
const FIELDS = ["type", "name", "enabled"] as const;
/** There for every kind, and of no use here: the notifier has its own patience. */
const DROPPED = ["id", "timeout", "enableSign", "createdAt", "updatedAt"];

const platformSchema = z.looseObject({
  type: z.string().max(40),
  name: z.string().optional(),
  enabled: z.boolean().optional(),
});
type Platform = z.output<typeof platformSchema>;

const splitList = (value: unknown) =>
  typeof value === "string" ? value.split(",").map((each) => each.trim()) : value;

function settingsOf({ type, ...platform }: Platform): Record<string, unknown> {
  const names = [...FIELDS, ...DROPPED] as readonly string[];
  const rest = Object.fromEntries(
    Object.entries(platform).filter(([name, value]) => !names.includes(name) && value !== ""),
  );
  if (TYPES[type] !== "email") return rest;
  const { user, pass, secure, to, ignoreTLS, ...server } = rest;
  return given({
    ...server,
    username: user,
    password: pass,
    from: server["from"] ?? user,
    to: splitList(to),
    security: secure === true ? "tls" : ignoreTLS === true ? "none" : "starttls",
  });
}

const fromOld = (platform: Platform) =>
  given({
    type: TYPES[platform.type] ?? platform.type,
    name: platform.name ?? platform.type,
    enabled: platform.enabled,
    settings: settingsOf(platform),
  });

const oldOf = (channel: z.output<typeof channelAnswer>) => ({
  ...channel.settings,
  ...channel,
  type: oldType(channel.type),
});

const listed = (path: string): Alias =>
  alias({
    method: "GET",
    path,
    like: "GET /admin/notifications",
    run: async ({ ask }) => {
      const { items } = await ask(pageOf(channelAnswer), "GET", "/notifications");
      const platforms = items.map(oldOf);
      const config = { enabled: items.some(({ enabled }) => enabled), platforms };
      return { data: config, config, items: platforms, total: items.length };
    },
  });

/** `platforms` and `configs` both name channels there, in different versions. */
const channelsAt = (base: string): Alias[] => {
  const place = (params: Readonly<Record<string, string>>) => `/notifications/${params["id"] ?? ""}`;
  return [
    listed(base),
    alias({
      method: "POST",
      path: base,
      like: "POST /admin/notifications",
      body: platformSchema,
      run: async ({ ask, body }) =>
        single(oldOf(await ask(channelAnswer, "POST", "/notifications", fromOld(body)))),
    }),
    alias({
      method: "PUT",
      path: `${base}/:id`,
      like: "PATCH /admin/notifications/{id}",
      body: platformSchema,
      run: async ({ ask, params, body }) => {
        const { type: _, ...patch } = fromOld(body);
        return single(oldOf(await ask(channelAnswer, "PATCH", place(params), patch)));
      },
    }),
    alias({
      method: "DELETE",
      path: `${base}/:id`,
      like: "DELETE /admin/notifications/{id}",
      run: async ({ ask, params }) => {
        await ask(z.null(), "DELETE", place(params));
        return single({ message: "The channel is removed." });
      },
    }),
    alias({
      method: "POST",
      path: `${base}/:id/toggle`,
      like: "PATCH /admin/notifications/{id}",
      run: async ({ ask, params }) => {
        const { enabled } = await ask(channelAnswer, "GET", place(params));
        return single(oldOf(await ask(channelAnswer, "PATCH", place(params), { enabled: !enabled })));
      },
    }),
    alias({
      method: "POST",
      path: `${base}/:id/test`,
      like: "POST /admin/notifications/{id}/test",
      run: async ({ ask, params }) => single(await ask(receiptAnswer, "POST", `${place(params)}/test`)),
    }),
  ];
};

export const channelAliases: readonly Alias[] = [
  listed("/admin/webhook/config"),
  ...channelsAt("/admin/webhook/platforms"),
  ...channelsAt("/admin/webhook/configs"),
];
