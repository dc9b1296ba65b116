/**
 * Redeems a card: the card, the key's configuration and the audit entry change in one transaction, or none does. The
 * key's object hears of it afterwards, and a job sees to it if the worker dies in between: it sets what D1 has, so
 * however often it does, the card counts once.
 */
import type { Change } from "../domain/audit.ts";
import { RelayError } from "../domain/errors.ts";
import { newRedemptionId, type EpochMs, type KeyId } from "../domain/ids.ts";
import { changedAt } from "../domain/key-changes.ts";
import type { KeyConfig, KeyStatus } from "../domain/key.ts";
import {
  CARD_REFUSALS,
  redeemed,
  redemptionOf,
  takenBack,
  type Card,
  type Redemption,
  type RedemptionConfig,
} from "../domain/quota-card.ts";
import { findRedemption, isTaken, redemptionOfCard, revocationOf } from "./cards.ts";
import type { Commit } from "./commit.ts";
import { reachKeys, type Reach } from "./key-reach.ts";
import { findKey, isStale, replacements, type StoredKey } from "./keys.ts";

/** Each time the key was changed by somebody else. */
const TRIES_MAX = 20;

export interface Cashier {
  readonly reach: Reach;
  readonly statusOf: (id: KeyId) => Promise<KeyStatus | null>;
  /** Commits with an entry about a card or a redemption. */
  readonly commit: (target: string, change: Change) => Commit;
  readonly now: EpochMs;
}

const UNUSED = { activatedAt: null, limits: [] };

async function keyOf({ reach: { db } }: Cashier, id: KeyId): Promise<StoredKey> {
  const key = await findKey(db, id);
  if (key === null || key.config.deletedAt !== null) {
    throw new RelayError("not_found", "There is no such key.");
  }
  return key;
}

const changed = ({ config: before, hash }: StoredKey, config: KeyConfig, now: EpochMs): StoredKey => ({
  config: { ...config, updatedAt: changedAt(before, now) },
  hash,
});

/** Again and again while others are faster; what it looks at, it looks at anew each time. */
async function insistently<Done>(attempt: () => Promise<Done>): Promise<Done> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isStale(error) && !isTaken(error)) throw error;
    }
  }
  throw new RelayError("conflict", "This key is being changed by others. Try again.");
}

/** @throws RelayError `not_found`; `conflict`: the card is not to be had, or of no use to the key */
export const redeemCard = (
  order: { readonly find: () => Promise<Card | null>; readonly keyId: KeyId; readonly by: string },
  cashier: Cashier,
): Promise<Redemption> =>
  insistently(async () => {
    const { reach, now } = cashier;
    const card = await order.find();
    if (card === null) throw new RelayError("not_found", "There is no such card.");
    if (card.state !== "unused") throw new RelayError("conflict", CARD_REFUSALS[card.state]);
    const before = await keyOf(cashier, order.keyId);
    const { activatedAt } = (await cashier.statusOf(order.keyId)) ?? UNUSED;
    const after = redeemed(before.config, activatedAt, card, now);
    if (typeof after === "string") throw new RelayError("conflict", after);
    const key = changed(before, after, now);
    const id = newRedemptionId(now, crypto.getRandomValues(new Uint8Array(16)));
    const ids = { id, cardId: card.id, keyId: order.keyId };
    const config = redemptionOf(before.config, after, card, order.by);
    await cashier.commit(card.id, { after: { keyId: order.keyId, ...config } })([
      redemptionOfCard(reach.db, ids, config, now),
      ...replacements(reach.db, [{ key, basedOn: before.config.updatedAt }]),
    ]);
    await reachKeys([key], reach);
    return { ...config, ...ids, keyName: key.config.name, redeemedAt: now, revokedAt: null };
  });

/** Takes back what is not used yet of what a redemption added. @throws RelayError `conflict`: it was taken back before */
export const revokeRedemption = (found: Redemption, cashier: Cashier): Promise<Redemption> =>
  insistently(async () => {
    const { reach, now } = cashier;
    const redemption = await findRedemption(reach.db, found.id);
    if (redemption === null) throw new RelayError("not_found", "There is no such redemption.");
    if (redemption.revokedAt !== null) {
      throw new RelayError("conflict", "This redemption was revoked already.");
    }
    const before = await keyOf(cashier, redemption.keyId);
    const status = (await cashier.statusOf(redemption.keyId)) ?? UNUSED;
    const back = takenBack(before.config, status, redemption, now);
    const key = changed(before, back.config, now);
    const config = { ...configOf(redemption), takenBack: back.takenBack };
    await cashier.commit(redemption.id, { after: { keyId: redemption.keyId, takenBack: back.takenBack } })([
      revocationOf(reach.db, redemption.id, config, now),
      ...replacements(reach.db, [{ key, basedOn: before.config.updatedAt }]),
    ]);
    await reachKeys([key], reach);
    return { ...redemption, ...config, revokedAt: now };
  });

const configOf = ({
  id: _,
  cardId: _card,
  keyId: _key,
  keyName: _name,
  redeemedAt: _at,
  revokedAt: _revoked,
  ...config
}: Redemption): RedemptionConfig => config;
