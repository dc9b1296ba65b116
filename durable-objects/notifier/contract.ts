/** What may be asked of the notifier, of which a deployment has one. Decisions come back as values; nothing is thrown. */
import type { ChannelId } from "../../worker/domain/ids.ts";
import type { Signal } from "../../worker/domain/notice.ts";
import type { DeadLetter, Receipt } from "../../worker/domain/notification-channel.ts";

/** The name of the one object. */
export const NOTIFIER_NAME = "notifier";

export interface ChannelEntry {
  readonly id: ChannelId;
  readonly type: string;
  /** The settings as they were, without secrets; null: the channel is new. */
  readonly before: Readonly<Record<string, unknown>> | null;
  /** What a person entered, secrets included; what is absent stays as it was. */
  readonly entered: Readonly<Record<string, unknown>>;
}

export type ConfigureResult =
  | {
      readonly kind: "ok";
      /** The settings to store: without secrets. */
      readonly settings: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: "invalid"; readonly message: string };

export interface ChannelStatus {
  readonly secrets: Readonly<Record<string, string>>;
  readonly waiting: number;
}

export interface NotifierContract {
  /** Keeps what is new of it; it is sent a moment later. */
  take(signals: readonly Signal[]): Promise<void>;
  /** Checks a channel's settings and keeps its secrets. */
  configure(entry: ChannelEntry): Promise<ConfigureResult>;
  /** Forgets a channel's secrets and what was to be sent to it. */
  forget(id: ChannelId): Promise<void>;
  statusOf(ids: readonly ChannelId[]): Promise<Readonly<Record<ChannelId, ChannelStatus>>>;
  /** Which keys the secrets are sealed with, after those that can be opened were sealed with the newest. */
  keysInUse(): Promise<readonly string[]>;
  /** Sends a test message now, once. */
  sendTest(id: ChannelId): Promise<Receipt>;
  /** The newest first. */
  deadLetters(): Promise<readonly DeadLetter[]>;
  /** @returns false when there is none */
  retry(id: string): Promise<boolean>;
  /** @returns false when there is none */
  drop(id: string): Promise<boolean>;
}
