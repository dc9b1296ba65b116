/** Notification channels: create, list, change, delete, test; and the messages that were given up. */
import { Hono, type Context } from "hono";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { channelIdSchema, newChannelId } from "../domain/ids.ts";
import { NOTICE_KINDS, SEVERITIES } from "../domain/notice.ts";
import {
  channelInputSchema,
  channelPatchSchema,
  type ChannelConfig,
  type ChannelPatch,
  type ChannelView,
} from "../domain/notification-channel.ts";
import { CHANNELS } from "../notify/index.ts";
import { notifier } from "../notify/tell.ts";
import { deleteChannel, findChannel, listChannels, saveChannel } from "../storage/channels.ts";
import { body, idParam, notFound, type AdminEnv } from "./context.ts";

/** Far more than a deployment needs; each notice is sent to each of them. */
const CHANNELS_MAX = 50;

const types = [...CHANNELS.values()].map(({ id, label, settingsSchema, secrets }) => ({
  id,
  label,
  settings: z.toJSONSchema(settingsSchema, { io: "input", unrepresentable: "any" }),
  secrets,
}));

async function viewsOf(
  context: Context<AdminEnv>,
  configs: readonly ChannelConfig[],
): Promise<ChannelView[]> {
  const statuses = await notifier(context.env).statusOf(configs.map(({ id }) => id));
  return configs.map((config) => ({
    ...config,
    ...(statuses[config.id] ?? { secrets: {}, waiting: 0 }),
  }));
}

async function viewOf(context: Context<AdminEnv>, config: ChannelConfig): Promise<ChannelView | undefined> {
  const [view] = await viewsOf(context, [config]);
  return view;
}

async function required(context: Context<AdminEnv>): Promise<ChannelConfig> {
  const id = idParam(channelIdSchema, context.req.param("id") ?? "");
  const config = await findChannel(context.env.DB, id);
  if (config === null) throw notFound();
  return config;
}

type Settings = ChannelConfig["settings"];

/** The object first, since it checks the settings and keeps the secrets; then D1. */
async function store(
  context: Context<AdminEnv>,
  config: Omit<ChannelConfig, "settings">,
  settings: { readonly before: Settings | null; readonly entered: Settings },
): Promise<ChannelConfig> {
  const { id, type } = config;
  const result = await notifier(context.env).configure({ id, type, ...settings });
  if (result.kind === "invalid") throw new RelayError("invalid_request", result.message);
  const stored = { ...config, settings: result.settings };
  await saveChannel(context.env.DB, stored);
  return stored;
}

function changed(config: ChannelConfig, { settings: _, ...fields }: ChannelPatch): ChannelConfig {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { ...config, ...(Object.fromEntries(given) as Partial<ChannelConfig>), updatedAt: Date.now() };
}

export const notificationRoutes = new Hono<AdminEnv>()
  .get("/types", (context) => context.json({ items: types, events: NOTICE_KINDS, severities: SEVERITIES }))
  .get("/dead-letters", async (context) => {
    const items = await notifier(context.env).deadLetters();
    return context.json({ items, total: items.length });
  })
  .post("/dead-letters/:id/retry", async (context) => {
    if (!(await notifier(context.env).retry(context.req.param("id")))) throw notFound();
    return context.body(null, 204);
  })
  .delete("/dead-letters/:id", async (context) => {
    if (!(await notifier(context.env).drop(context.req.param("id")))) throw notFound();
    return context.body(null, 204);
  })
  .get("/", async (context) => {
    const items = await viewsOf(context, await listChannels(context.env.DB));
    return context.json({ items, total: items.length });
  })
  .post("/", body(channelInputSchema), async (context) => {
    const { settings: entered, ...input } = context.req.valid("json");
    if ((await listChannels(context.env.DB)).length >= CHANNELS_MAX) {
      throw new RelayError(
        "conflict",
        `There are ${String(CHANNELS_MAX)} channels already: delete one first.`,
      );
    }
    const now = Date.now();
    const id = newChannelId(now, crypto.getRandomValues(new Uint8Array(16)));
    const config = { ...input, id, createdAt: now, updatedAt: now };
    const stored = await store(context, config, { before: null, entered });
    return context.json(await viewOf(context, stored), 201);
  })
  .get("/:id", async (context) => context.json(await viewOf(context, await required(context))))
  .patch("/:id", body(channelPatchSchema), async (context) => {
    const patch = context.req.valid("json");
    const before = await required(context);
    const settings = { before: before.settings, entered: patch.settings };
    const stored = await store(context, changed(before, patch), settings);
    return context.json(await viewOf(context, stored));
  })
  .delete("/:id", async (context) => {
    const { id } = await required(context);
    await deleteChannel(context.env.DB, id);
    await notifier(context.env).forget(id);
    return context.body(null, 204);
  })
  .post("/:id/test", async (context) => {
    const { id } = await required(context);
    return context.json(await notifier(context.env).sendTest(id));
  });
