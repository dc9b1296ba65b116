/** Notification channels in D1, without their secrets. */
import { z } from "zod";
import { channelConfigSchema, type ChannelConfig } from "../domain/notification-channel.ts";
import { alone, type Commit } from "./commit.ts";
import type { ChannelId } from "../domain/ids.ts";

const rowSchema = z.object({ config: z.string() });

const parseRow = (row: unknown): ChannelConfig =>
  channelConfigSchema.parse(JSON.parse(rowSchema.parse(row).config));

/** One deployment has few of them, the oldest first. */
export async function listChannels(db: D1Database): Promise<ChannelConfig[]> {
  const { results } = await db.prepare("SELECT config FROM notification_channel ORDER BY id").all();
  return results.map(parseRow);
}

export async function findChannel(db: D1Database, id: ChannelId): Promise<ChannelConfig | null> {
  const row = await db.prepare("SELECT config FROM notification_channel WHERE id = ?").bind(id).first();
  return row === null ? null : parseRow(row);
}

/** Stores a channel, new or changed. */
export async function saveChannel(
  db: D1Database,
  channel: ChannelConfig,
  commit: Commit = alone(db),
): Promise<void> {
  const statement = db
    .prepare(
      `INSERT INTO notification_channel (id, config) VALUES (?1, ?2)
       ON CONFLICT DO UPDATE SET config = excluded.config`,
    )
    .bind(channel.id, JSON.stringify(channel));
  await commit([statement]);
}

export async function deleteChannel(
  db: D1Database,
  id: ChannelId,
  commit: Commit = alone(db),
): Promise<void> {
  await commit([db.prepare("DELETE FROM notification_channel WHERE id = ?").bind(id)]);
}
