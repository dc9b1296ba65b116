/** Notification channels at the receivers, made through the admin API. */
import type { ChannelView, DeadLetter, Receipt } from "../../../worker/domain/notification-channel.ts";
import { receiversAt } from "../../receivers/client.ts";
import { ACCESS_TOKEN, SIGNING_SECRET, type Received, type ReceiverKind } from "../../receivers/orders.ts";
import { admin, env, eventually, unique } from "./relay.ts";

export const receivers = receiversAt(env.TEST_RECEIVERS_URL);
const { url } = await receivers.receivers();

type Settings = Readonly<Record<string, unknown>>;

/** Of each kind, the settings that make its messages come to a box. */
export const SETTINGS: Readonly<Record<ReceiverKind, (box: string) => Settings>> = {
  webhook: (box) => ({ url: `${url}/webhook/${box}`, secret: SIGNING_SECRET }),
  slack: (box) => ({ url: `${url}/slack/${box}` }),
  discord: (box) => ({ url: `${url}/discord/${box}` }),
  telegram: (box) => ({
    botToken: "123456:telegram-token-of-the-tests",
    chatId: "-100123",
    apiBaseUrl: `${url}/telegram/${box}`,
  }),
  feishu: (box) => ({ url: `${url}/feishu/${box}`, secret: SIGNING_SECRET }),
  dingtalk: (box) => ({ url: `${url}/dingtalk/${box}?access_token=t0ken`, secret: SIGNING_SECRET }),
  wecom: (box) => ({ url: `${url}/wecom/${box}?key=t0ken` }),
  bark: (box) => ({ deviceKey: "device-key-of-the-tests", serverUrl: `${url}/bark/${box}` }),
  ntfy: (box) => ({ topic: "relay-topic", token: ACCESS_TOKEN, serverUrl: `${url}/ntfy/${box}` }),
};

export async function createChannel(
  type: string,
  settings: Settings,
  overrides: Record<string, unknown> = {},
): Promise<ChannelView> {
  const response = await admin("POST", "/notifications", {
    name: unique("channel"),
    type,
    settings,
    ...overrides,
  });
  if (response.status !== 201) throw new Error(await response.text());
  return response.json<ChannelView>();
}

/** A channel with a box of its own. */
export async function createBox(kind: ReceiverKind, overrides: Record<string, unknown> = {}) {
  const box = unique("box");
  return { box, channel: await createChannel(kind, SETTINGS[kind](box), overrides) };
}

/** So that no other test's notices come to them. */
export async function deleteChannels(): Promise<void> {
  const { items } = await (await admin("GET", "/notifications")).json<{ items: ChannelView[] }>();
  await Promise.all(items.map(({ id }) => admin("DELETE", `/notifications/${id}`)));
}

export const testChannel = async ({ id }: ChannelView): Promise<Receipt> =>
  (await admin("POST", `/notifications/${id}/test`)).json<Receipt>();

export const deadLetters = async (): Promise<DeadLetter[]> =>
  (await (await admin("GET", "/dead-letters")).json<{ items: DeadLetter[] }>()).items;

/** Once so many messages are in the box. */
export const receivedIn = (box: string, count = 1): Promise<Received[]> =>
  eventually(
    () => receivers.received(box),
    ({ length }) => length >= count,
  );

export const notifierStub = () => env.NOTIFIER.get(env.NOTIFIER.idFromName("notifier"));

const KIND = "x-relay-event";
export const kindsIn = (received: readonly Received[]): (string | undefined)[] =>
  received.map(({ headers }) => headers[KIND]);
