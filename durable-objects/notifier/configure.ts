/** What an admin's entry of a channel comes to: the settings to show, and the secrets to keep. */
import { RelayError } from "../../worker/domain/errors.ts";
import type { Notice } from "../../worker/domain/notice.ts";
import type { NoticeId } from "../../worker/domain/ids.ts";
import type { Channel, Message } from "../../worker/notify/channel.ts";
import { CHANNELS } from "../../worker/notify/index.ts";
import { assertAllowedReceiver } from "../../worker/notify/send.ts";
import type { ChannelEntry } from "./contract.ts";
import type { Secrets } from "./secrets.ts";

type Settings = Readonly<Record<string, unknown>>;

export type Checked =
  | { readonly kind: "ok"; readonly settings: Settings; readonly secrets: Secrets }
  | { readonly kind: "invalid"; readonly message: string };

const invalid = (message: string): Checked => ({ kind: "invalid", message });

/** Rendered to learn where a channel's messages go; it never leaves. */
const SAMPLE: Notice = {
  id: "ntc_00000000" as NoticeId,
  kind: "test",
  severity: "info",
  title: "Test",
  lines: [],
  at: 0,
  subject: null,
};

const placeOf = (message: Message): string =>
  message.kind === "http"
    ? new URL(message.url).origin
    : `${message.server.host}:${String(message.server.port)}/${message.server.security}`;

const picked = (settings: Settings, isWanted: (name: string) => boolean): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => isWanted(name)));

/** @param known the channel's secrets as they are */
export async function check(
  { type, before, entered }: ChannelEntry,
  known: Secrets,
  allowPrivate: boolean,
): Promise<Checked> {
  const channel = CHANNELS.get(type);
  if (channel === undefined) return invalid(`type: must be one of ${[...CHANNELS.keys()].join(", ")}`);
  const parsed = channel.parse({ ...before, ...known, ...entered });
  if (parsed.kind === "invalid") return parsed;
  const after = await channel.render(parsed.settings, SAMPLE, 0);
  if (after.kind === "invalid") return after;
  const refusal = refusalOf(after.message, allowPrivate);
  if (refusal !== null) return invalid(refusal);
  const kept = await keptElsewhere(
    channel,
    { before: { ...before, ...known }, entered, known },
    after.message,
  );
  if (kept !== null)
    return invalid(`settings.${kept}: enter it again, since messages go to another place now`);
  const isSecret = (name: string) => channel.secrets.includes(name);
  return {
    kind: "ok",
    settings: picked(parsed.settings, (name) => !isSecret(name)),
    secrets: picked(parsed.settings, isSecret),
  };
}

function refusalOf(message: Message, allowPrivate: boolean): string | null {
  try {
    assertAllowedReceiver(message, allowPrivate);
    return null;
  } catch (error) {
    if (error instanceof RelayError) return `settings: ${error.message}`;
    throw error;
  }
}

interface Change {
  readonly before: Settings;
  readonly entered: Settings;
  readonly known: Secrets;
}

/** A stored secret that would go to a place it was not entered for: nobody may learn one that way. null: none. */
async function keptElsewhere(
  channel: Channel,
  { before, entered, known }: Change,
  after: Message,
): Promise<string | null> {
  const kept = Object.keys(known).find((name) => known[name] !== null && entered[name] === undefined);
  if (kept === undefined) return null;
  const was = await channel.render(before, SAMPLE, 0);
  return was.kind === "rendered" && placeOf(was.message) === placeOf(after) ? null : kept;
}
