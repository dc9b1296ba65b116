/** What the notifier knows: what has been told, what is to be sent when, and what was given up. Pure. */
import type { ChannelId, EpochMs, NoticeId } from "../../worker/domain/ids.ts";
import { bounded, type Notice, type Signal } from "../../worker/domain/notice.ts";
import { wants, type ChannelConfig, type Receipt } from "../../worker/domain/notification-channel.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

/** The same is told again so much later at the soonest. */
const REPEAT_MS = HOUR_MS;
/** What was told so long ago is forgotten: its end is news to nobody. */
const TOPIC_LIFE_MS = 30 * DAY_MS;
const TOPICS_MAX = 2000;
/** Notices that wait for their channels to be looked up; they wait for D1 only. */
const INBOX_MAX = 500;
const PENDING_MAX = 2000;
const DEAD_MAX = 200;

export const ATTEMPTS_MAX = 12;
const RETRY_FIRST_MS = 10 * SECOND_MS;
const RETRY_MAX_MS = HOUR_MS;

/** One message on its way to one channel. */
export interface Delivery {
  /** Of the notice and the channel: a notice reaches a channel by one delivery only. */
  readonly id: string;
  readonly notice: Notice;
  readonly channelId: ChannelId;
  readonly attempts: number;
  readonly dueAt: EpochMs;
  readonly lastTriedAt: EpochMs | null;
  readonly error: string | null;
}

export interface NotifierState {
  readonly inbox: readonly Notice[];
  readonly pending: ReadonlyMap<string, Delivery>;
  /** Given up, the oldest first. */
  readonly dead: ReadonlyMap<string, Delivery>;
  /** When each topic was told last, the oldest first. */
  readonly told: ReadonlyMap<string, EpochMs>;
}

export const EMPTY: NotifierState = { inbox: [], pending: new Map(), dead: new Map(), told: new Map() };

const without = <Value>(map: ReadonlyMap<string, Value>, keys: readonly string[]) => {
  const rest = new Map(map);
  for (const key of keys) rest.delete(key);
  return rest;
};

/** At most so many entries, the newest. */
const newest = <Value>(map: ReadonlyMap<string, Value>, count: number): ReadonlyMap<string, Value> =>
  map.size <= count ? map : new Map([...map].slice(map.size - count));

/** Whether a signal is news, and what has been told with it. */
function heed(told: ReadonlyMap<string, EpochMs>, signal: Signal, now: EpochMs) {
  const ended = signal.ends.filter((topic) => told.has(topic));
  const rest = ended.length === 0 ? told : without(told, ended);
  if (signal.ends.length > 0 && ended.length === 0) return { told, isNews: false };
  if (signal.topic === null) return { told: rest, isNews: true };
  const toldAt = rest.get(signal.topic);
  if (toldAt !== undefined && now - toldAt < REPEAT_MS) return { told: rest, isNews: false };
  return { told: without(rest, [signal.topic]).set(signal.topic, now), isNews: true };
}

/** @param newId called once for each notice that is kept */
export function take(
  state: NotifierState,
  signals: readonly Signal[],
  now: EpochMs,
  newId: () => NoticeId,
): NotifierState {
  let told: ReadonlyMap<string, EpochMs> = state.told;
  const inbox = [...state.inbox];
  for (const signal of signals) {
    const heeded = heed(told, signal, now);
    told = heeded.told;
    if (heeded.isNews && inbox.length < INBOX_MAX) inbox.push({ ...bounded(signal.notice), id: newId() });
  }
  if (told === state.told && inbox.length === state.inbox.length) return state;
  const kept = new Map([...told].filter(([, at]) => now - at < TOPIC_LIFE_MS));
  return { ...state, inbox, told: newest(kept, TOPICS_MAX) };
}

/** Makes a delivery of each notice for each channel that wants it. */
export function route(state: NotifierState, channels: readonly ChannelConfig[], now: EpochMs): NotifierState {
  if (state.inbox.length === 0) return state;
  const pending = new Map(state.pending);
  for (const notice of state.inbox) {
    for (const { id: channelId } of channels.filter((channel) => wants(channel, notice))) {
      if (pending.size >= PENDING_MAX) break;
      const id = `${notice.id}.${channelId}`;
      pending.set(id, { id, notice, channelId, attempts: 0, dueAt: now, lastTriedAt: null, error: null });
    }
  }
  return { ...state, inbox: [], pending };
}

export const due = (state: NotifierState, now: EpochMs): Delivery[] =>
  [...state.pending.values()].filter(({ dueAt }) => dueAt <= now);

/** When there is something to do; Infinity: nothing. */
export function nextAt(state: NotifierState): EpochMs {
  if (state.inbox.length > 0) return 0;
  let soonest = Infinity;
  for (const { dueAt } of state.pending.values()) soonest = Math.min(soonest, dueAt);
  return soonest;
}

/** 10 s after the first failure, then twice as long each time, up to an hour; longer if the receiver says so. */
const retryMsOf = (attempts: number, { retryAfterMs }: Receipt): number =>
  Math.max(Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** (attempts - 1)), retryAfterMs ?? 0);

/** How an attempt went. A delivery that is gone by now stays gone. */
export function settle(state: NotifierState, id: string, receipt: Receipt, now: EpochMs): NotifierState {
  const delivery = state.pending.get(id);
  if (delivery === undefined) return state;
  if (receipt.ok) return { ...state, pending: without(state.pending, [id]) };
  const attempts = delivery.attempts + 1;
  const tried = { ...delivery, attempts, lastTriedAt: now, error: receipt.message };
  if (attempts >= ATTEMPTS_MAX) {
    const dead = newest(without(state.dead, [id]).set(id, tried), DEAD_MAX);
    return { ...state, pending: without(state.pending, [id]), dead };
  }
  const again = { ...tried, dueAt: now + retryMsOf(attempts, receipt) };
  return { ...state, pending: new Map(state.pending).set(id, again) };
}

/** Tries a dead letter again, as if it were new. */
export function revive(state: NotifierState, id: string, now: EpochMs): NotifierState {
  const delivery = state.dead.get(id);
  if (delivery === undefined) return state;
  const pending = new Map(state.pending).set(id, { ...delivery, attempts: 0, dueAt: now });
  return { ...state, pending, dead: without(state.dead, [id]) };
}

/** Forgets a dead letter. */
export const bury = (state: NotifierState, id: string): NotifierState =>
  state.dead.has(id) ? { ...state, dead: without(state.dead, [id]) } : state;

/** Forgets a message that nobody is there for any more. */
export const cancel = (state: NotifierState, id: string): NotifierState =>
  state.pending.has(id) ? { ...state, pending: without(state.pending, [id]) } : state;

/** Forgets all messages to a channel. */
export function forgetChannel(state: NotifierState, channelId: ChannelId): NotifierState {
  const idsIn = (deliveries: ReadonlyMap<string, Delivery>) =>
    [...deliveries.values()].filter((each) => each.channelId === channelId).map(({ id }) => id);
  return {
    ...state,
    pending: without(state.pending, idsIn(state.pending)),
    dead: without(state.dead, idsIn(state.dead)),
  };
}

export const waitingFor = (state: NotifierState, channelId: ChannelId): number =>
  [...state.pending.values()].filter((each) => each.channelId === channelId).length;
