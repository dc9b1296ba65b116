/** The notifier: loads, calls the state machine, keeps what it decided, and sends what is due. */
import { DurableObject } from "cloudflare:workers";
import { newNoticeId, type ChannelId, type EpochMs } from "../../worker/domain/ids.ts";
import { bounded, type Notice, type Signal } from "../../worker/domain/notice.ts";
import type { ChannelConfig, DeadLetter, Receipt } from "../../worker/domain/notification-channel.ts";
import { parseEnv, type Env } from "../../worker/env.ts";
import { CHANNELS } from "../../worker/notify/index.ts";
import { send } from "../../worker/notify/send.ts";
import { findChannel, listChannels } from "../../worker/storage/channels.ts";
import { MissingKey, parseKeyring } from "../../worker/storage/seal.ts";
import { check } from "./configure.ts";
import type { ChannelEntry, ChannelStatus, ConfigureResult, NotifierContract } from "./contract.ts";
import { ChannelSecrets, masked } from "./secrets.ts";
import * as machine from "./state.ts";
import { NotifierStore } from "./store.ts";

/** Messages of one alarm; the next one follows at once. */
const BATCH = 50;
/** D1, or a secret's key, is not there: what waits for it waits so long, in ms. */
const OUTAGE_MS = 30_000;

const UNKNOWN_CHANNEL: Receipt = {
  ok: false,
  status: null,
  message: "There is no such channel.",
  retryAfterMs: null,
};

/** Their key is missing: what is stored stays as it is, and opens when the key is back. */
function unreadable(error: unknown): { readonly unreadable: string } {
  if (!(error instanceof MissingKey)) throw error;
  return { unreadable: `The channel's secrets are ${error.message}.` };
}

export class NotifierObject extends DurableObject implements NotifierContract {
  readonly #env: Env;
  readonly #store: NotifierStore;
  #state: machine.NotifierState;
  #secrets: ChannelSecrets | null = null;

  constructor(ctx: DurableObjectState, rawEnv: Cloudflare.Env) {
    super(ctx, rawEnv);
    this.#env = parseEnv(rawEnv);
    this.#store = new NotifierStore(ctx.storage);
    this.#state = this.#store.load();
  }

  async #vault(): Promise<ChannelSecrets> {
    this.#secrets ??= new ChannelSecrets(this.ctx.storage.kv, await parseKeyring(this.#env.ENCRYPTION_KEYS));
    return this.#secrets;
  }

  async take(signals: readonly Signal[]): Promise<void> {
    const now = Date.now();
    const newId = () => newNoticeId(now, crypto.getRandomValues(new Uint8Array(16)));
    await this.#apply(machine.take(this.#state, signals, now, newId));
  }

  async configure(entry: ChannelEntry): Promise<ConfigureResult> {
    const vault = await this.#vault();
    const known = await vault.load(entry.id).catch(unreadable);
    if ("unreadable" in known) return { kind: "invalid", message: String(known["unreadable"]) };
    const checked = await check(entry, known, this.#env.ALLOW_PRIVATE_UPSTREAMS);
    if (checked.kind === "invalid") return checked;
    await vault.keep(entry.id, checked.secrets);
    return { kind: "ok", settings: checked.settings };
  }

  async keysInUse(): Promise<readonly string[]> {
    return (await this.#vault()).reseal();
  }

  async forget(id: ChannelId): Promise<void> {
    (await this.#vault()).forget(id);
    await this.#apply(machine.forgetChannel(this.#state, id));
  }

  async statusOf(ids: readonly ChannelId[]): Promise<Record<ChannelId, ChannelStatus>> {
    const vault = await this.#vault();
    const entries = ids.map(async (id) => {
      const secrets = await vault.load(id).then(masked, unreadable);
      return [id, { secrets, waiting: machine.waitingFor(this.#state, id) }] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  async sendTest(id: ChannelId): Promise<Receipt> {
    const config = await findChannel(this.#env.DB, id);
    if (config === null) return UNKNOWN_CHANNEL;
    const now = Date.now();
    const draft = bounded({
      kind: "test",
      severity: "info",
      title: "Test notification",
      lines: [`This channel is "${config.name}". Whatever it is set to receive comes like this.`],
      at: now,
      subject: null,
    });
    const notice = { ...draft, id: newNoticeId(now, crypto.getRandomValues(new Uint8Array(16))) };
    return this.#send(config, notice);
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    return [...this.#state.dead.values()].reverse().map((delivery) => ({
      id: delivery.id,
      noticeId: delivery.notice.id,
      channelId: delivery.channelId,
      kind: delivery.notice.kind,
      severity: delivery.notice.severity,
      title: delivery.notice.title,
      at: delivery.notice.at,
      attempts: delivery.attempts,
      lastTriedAt: delivery.lastTriedAt ?? delivery.notice.at,
      error: delivery.error ?? "",
    }));
  }

  async retry(id: string): Promise<boolean> {
    return this.#change(machine.revive(this.#state, id, Date.now()));
  }

  async drop(id: string): Promise<boolean> {
    return this.#change(machine.bury(this.#state, id));
  }

  async #change(state: machine.NotifierState): Promise<boolean> {
    const isChanged = state !== this.#state;
    await this.#apply(state);
    return isChanged;
  }

  async #apply(state: machine.NotifierState): Promise<void> {
    if (state === this.#state) return;
    this.#store.save(state);
    this.#state = state;
    await this.#arm(0);
  }

  /** @param notBefore for what cannot be done now */
  async #arm(notBefore: EpochMs): Promise<void> {
    const at = machine.nextAt(this.#state);
    if (at !== Infinity) await this.ctx.storage.setAlarm(Math.max(at, notBefore, Date.now()));
  }

  /** Sends what is due. Every outcome is kept at once, so that a repeated alarm repeats none that is known. */
  override async alarm(): Promise<void> {
    let notBefore = 0;
    try {
      await this.#deliver();
    } catch (error) {
      notBefore = Date.now() + OUTAGE_MS;
      const message = error instanceof Error ? error.message : String(error);
      console.error(JSON.stringify({ event: "notifications_delayed", retryInMs: OUTAGE_MS, message }));
    }
    await this.#arm(notBefore);
  }

  async #deliver(): Promise<void> {
    const channels = await listChannels(this.#env.DB);
    await this.#apply(machine.route(this.#state, channels, Date.now()));
    const due = machine.due(this.#state, Date.now()).slice(0, BATCH);
    const byChannel = Map.groupBy(due, ({ channelId }) => channelId);
    const deliveries = [...byChannel].map(async ([id, ofChannel]) => {
      const channel = channels.find((each) => each.id === id);
      // One after the other: receivers allow few messages a second.
      for (const delivery of ofChannel) await this.#attempt(channel, delivery);
    });
    await Promise.all(deliveries);
  }

  async #attempt(channel: ChannelConfig | undefined, { id, notice }: machine.Delivery): Promise<void> {
    if (channel?.enabled !== true) {
      await this.#apply(machine.cancel(this.#state, id));
      return;
    }
    const receipt = await this.#send(channel, notice);
    await this.#apply(machine.settle(this.#state, id, receipt, Date.now()));
  }

  async #send(config: ChannelConfig, notice: Notice): Promise<Receipt> {
    const channel = CHANNELS.get(config.type);
    if (channel === undefined) return { ...UNKNOWN_CHANNEL, message: `Unknown type "${config.type}".` };
    const secrets = await (await this.#vault()).load(config.id);
    return send({
      channel,
      settings: { ...config.settings, ...secrets },
      notice,
      now: Date.now(),
      allowPrivate: this.#env.ALLOW_PRIVATE_UPSTREAMS,
    });
  }
}
