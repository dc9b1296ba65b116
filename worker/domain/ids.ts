/** Branded identifiers, so that a key's id cannot be passed where an account's is meant. Pure. */
import { z } from "zod";

const id = (prefix: string) => z.string().regex(new RegExp(`^${prefix}_[0-9a-z]{8,64}$`));

export const accountIdSchema = id("acc").brand<"AccountId">();
export const keyIdSchema = id("key").brand<"KeyId">();
export const requestIdSchema = id("req").brand<"RequestId">();
export const personIdSchema = id("per").brand<"PersonId">();
export const channelIdSchema = id("chn").brand<"ChannelId">();
export const noticeIdSchema = id("ntc").brand<"NoticeId">();
export const proxyIdSchema = id("prx").brand<"ProxyId">();
export const cardIdSchema = id("crd").brand<"CardId">();
export const redemptionIdSchema = id("rdm").brand<"RedemptionId">();

export type AccountId = z.infer<typeof accountIdSchema>;
export type KeyId = z.infer<typeof keyIdSchema>;
export type PersonId = z.infer<typeof personIdSchema>;
/** Of a quota card. */
export type CardId = z.infer<typeof cardIdSchema>;
/** Of a quota card's redemption. */
export type RedemptionId = z.infer<typeof redemptionIdSchema>;
/** Of a notification channel. */
export type ChannelId = z.infer<typeof channelIdSchema>;
/** Of a notification; what receivers know a repeated one by. */
export type NoticeId = z.infer<typeof noticeIdSchema>;
/** Of a proxy that accounts share. */
export type ProxyId = z.infer<typeof proxyIdSchema>;
/** Identifies one client request from admission to its usage record; the idempotency key of settlement. */
export type RequestId = z.infer<typeof requestIdSchema>;
/** SHA-256 of a relay key in lower-case hex: the only form in which a relay key is stored. */
export type KeyHash = string & { readonly __keyHash: true };
/** A conversation's identity within one relay key; never contains prompt text. */
export type Affinity = string & { readonly __affinity: true };

/** Milliseconds since the Unix epoch. */
export type EpochMs = number;

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * A time-ordered id: 48 bits of time and 80 random bits in Crockford's base 32 (the ULID layout), so that
 * "newest first" is the order of the primary key and costs no index.
 *
 * @param random at least 10 bytes of randomness
 */
export function timeOrderedId(
  prefix: "acc" | "chn" | "crd" | "key" | "ntc" | "per" | "prx" | "rdm" | "req" | "ses",
  now: EpochMs,
  random: Uint8Array,
): string {
  let time = "";
  let rest = now;
  for (let digit = 0; digit < 10; digit++) {
    time = (CROCKFORD[rest % 32] ?? "0") + time;
    rest = Math.floor(rest / 32);
  }
  let entropy = "";
  for (let digit = 0; digit < 16; digit++)
    entropy += CROCKFORD[(random[digit % random.length] ?? 0) & 31] ?? "0";
  return `${prefix}_${time}${entropy}`;
}

export const newAccountId = (now: EpochMs, random: Uint8Array): AccountId =>
  timeOrderedId("acc", now, random) as AccountId;
export const newKeyId = (now: EpochMs, random: Uint8Array): KeyId =>
  timeOrderedId("key", now, random) as KeyId;
export const newPersonId = (now: EpochMs, random: Uint8Array): PersonId =>
  timeOrderedId("per", now, random) as PersonId;
export const newCardId = (now: EpochMs, random: Uint8Array): CardId =>
  timeOrderedId("crd", now, random) as CardId;
export const newRedemptionId = (now: EpochMs, random: Uint8Array): RedemptionId =>
  timeOrderedId("rdm", now, random) as RedemptionId;
export const newRequestId = (now: EpochMs, random: Uint8Array): RequestId =>
  timeOrderedId("req", now, random) as RequestId;
/** The smallest request id of an instant: ids begin with their time. */
export const firstRequestIdAt = (at: EpochMs): RequestId => newRequestId(Math.max(0, at), new Uint8Array(10));
export const newChannelId = (now: EpochMs, random: Uint8Array): ChannelId =>
  timeOrderedId("chn", now, random) as ChannelId;
export const newNoticeId = (now: EpochMs, random: Uint8Array): NoticeId =>
  timeOrderedId("ntc", now, random) as NoticeId;
export const newProxyId = (now: EpochMs, random: Uint8Array): ProxyId =>
  timeOrderedId("prx", now, random) as ProxyId;
export const keyHash = (hex: string): KeyHash => hex as KeyHash;
/** Enough of a hash to tell a key's text in force from one that was rotated out. */
export const fingerprintOf = (hash: KeyHash): string => hash.slice(0, 16);
/** The identity of a session within one model family: limits and prompt caches of families are apart. */
export const affinityInFamily = (session: Affinity, family: string | null): Affinity =>
  `${session}/${family ?? ""}` as Affinity;
export const affinity = (keyId: KeyId, session: string): Affinity => `${keyId}:${session}` as Affinity;
