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
import type { Commit } from "../storage/commit.ts";
import { deleteChannel, findChannel, listChannels, saveChannel } from "../storage/channels.ts";
import { pageOf } from "./answers.ts";
import {
  channelAnswer,
  channelTypesAnswer,
  deadLetterAnswer,
  receiptAnswer,
} from "./notification-answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited, noted } from "./audited.ts";
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
  commit: Commit,
): Promise<ChannelConfig> {
  const { id, type } = config;
  const result = await notifier(context.env).configure({ id, type, ...settings });
  if (result.kind === "invalid") throw new RelayError("invalid_request", result.message);
  const stored = { ...config, settings: result.settings };
  await saveChannel(context.env.DB, stored, commit);
  return stored;
}

function changed(config: ChannelConfig, { settings: _, ...fields }: ChannelPatch): ChannelConfig {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { ...config, ...(Object.fromEntries(given) as Partial<ChannelConfig>), updatedAt: Date.now() };
}

/** Addresses and names in settings may be telling, so the audit log has none of them. */
const withoutSettings = ({ settings: _, ...config }: Partial<ChannelConfig>) => config;

export const notificationRoutes = new Hono<AdminEnv>()
  .get(
    "/types",
    documented("Lists the kinds of channels, with the schema of what each needs.", {
      200: channelTypesAnswer,
    }),
    (context) => context.json({ items: types, events: NOTICE_KINDS, severities: SEVERITIES }),
  )
  .get(
    "/",
    documented("Lists channels, the oldest first.", { 200: pageOf(channelAnswer) }),
    async (context) => {
      const items = await viewsOf(context, await listChannels(context.env.DB));
      return context.json({ items, total: items.length });
    },
  )
  .post(
    "/",
    documented("Adds a channel.", { 201: channelAnswer }, ["conflict"]),
    body(channelInputSchema),
    async (context) => {
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
      const commit = audited(context, "channel.create", id, { after: withoutSettings(config) });
      const stored = await store(context, config, { before: null, entered }, commit);
      return context.json(await viewOf(context, stored), 201);
    },
  )
  .get("/:id", documented("Shows a channel.", { 200: channelAnswer }), async (context) =>
    context.json(await viewOf(context, await required(context))),
  )
  .patch(
    "/:id",
    documented("Changes a channel.", { 200: channelAnswer }),
    body(channelPatchSchema),
    async (context) => {
      const patch = context.req.valid("json");
      const before = await required(context);
      const settings = { before: before.settings, entered: patch.settings };
      const after = changed(before, patch);
      const change = { before: withoutSettings(before), after: withoutSettings(after) };
      const stored = await store(
        context,
        after,
        settings,
        audited(context, "channel.update", before.id, change),
      );
      return context.json(await viewOf(context, stored));
    },
  )
  .delete("/:id", documented("Removes a channel.", { 204: null }), async (context) => {
    const before = await required(context);
    const { id } = before;
    const change = { before: withoutSettings(before) };
    await deleteChannel(context.env.DB, id, audited(context, "channel.delete", id, change));
    await notifier(context.env).forget(id);
    return context.body(null, 204);
  })
  .post(
    "/:id/test",
    documented("Sends a message to try a channel, and tells what came of it.", { 200: receiptAnswer }),
    async (context) => {
      const { id } = await required(context);
      return context.json(await notifier(context.env).sendTest(id));
    },
  );

export const deadLetterRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists messages that were given up.", { 200: pageOf(deadLetterAnswer) }),
    async (context) => {
      const items = await notifier(context.env).deadLetters();
      return context.json({ items, total: items.length });
    },
  )
  .post(
    "/:id/retry",
    documented("Sends a message that was given up once more.", { 204: null }),
    async (context) => {
      const id = context.req.param("id");
      if (!(await notifier(context.env).retry(id))) throw notFound();
      await noted(context, "letter.retry", id);
      return context.body(null, 204);
    },
  )
  .delete("/:id", documented("Forgets a message that was given up.", { 204: null }), async (context) => {
    const id = context.req.param("id");
    if (!(await notifier(context.env).drop(id))) throw notFound();
    await noted(context, "letter.drop", id);
    return context.body(null, 204);
  });
