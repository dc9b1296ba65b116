/** The registry of channels: adding one adds a file and a line here. */
import type { Channel } from "./channel.ts";
import { bark } from "./channels/bark.ts";
import { dingtalk } from "./channels/dingtalk.ts";
import { discord } from "./channels/discord.ts";
import { email } from "./channels/email.ts";
import { feishu } from "./channels/feishu.ts";
import { ntfy } from "./channels/ntfy.ts";
import { slack } from "./channels/slack.ts";
import { telegram } from "./channels/telegram.ts";
import { webhook } from "./channels/webhook.ts";
import { wecom } from "./channels/wecom.ts";

const ALL: readonly Channel[] = [
  webhook,
  email,
  slack,
  discord,
  telegram,
  feishu,
  dingtalk,
  wecom,
  bark,
  ntfy,
];

export const CHANNELS: ReadonlyMap<string, Channel> = new Map(ALL.map((channel) => [channel.id, channel]));
