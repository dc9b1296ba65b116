/** Quota cards and their redemptions in D1; of a code only the hash. */
import { z } from "zod";
import { cardIdSchema, keyIdSchema, redemptionIdSchema } from "../domain/ids.ts";
import type { CardId, EpochMs, KeyHash, KeyId, RedemptionId } from "../domain/ids.ts";
import {
  cardConfigSchema,
  redemptionConfigSchema,
  typeOf,
  CARD_STATES,
  type Card,
  type CardState,
  type Redemption,
  type RedemptionConfig,
} from "../domain/quota-card.ts";
import type { Commit } from "./commit.ts";
import { jsonRows } from "./json-rows.ts";

const REDEEMED = "EXISTS (SELECT 1 FROM quota_redemption r WHERE r.card_id = quota_card.id)";
/** Of a card, at the instant that the first parameter has. */
const STATE = `CASE WHEN ${REDEEMED} THEN 'redeemed' WHEN revoked_at IS NOT NULL THEN 'revoked'
  WHEN expires_at <= ?1 THEN 'expired' ELSE 'unused' END`;
const SELECT_CARDS = `SELECT id, config, created_at, expires_at, revoked_at, ${STATE} AS state FROM quota_card`;

const cardRow = z.object({
  id: cardIdSchema,
  config: z.string(),
  created_at: z.number(),
  expires_at: z.number().nullable(),
  revoked_at: z.number().nullable(),
  state: z.enum(CARD_STATES),
});

function toCard(value: unknown): Card {
  const { id, config, created_at, expires_at, revoked_at, state } = cardRow.parse(value);
  const known = cardConfigSchema.parse(JSON.parse(config));
  const dates = { createdAt: created_at, expiresAt: expires_at, revokedAt: revoked_at };
  return { ...known, ...dates, id, type: typeOf(known), state };
}

const totalSchema = z.object({ total: z.number() });

export async function insertCards(
  db: D1Database,
  cards: readonly { readonly card: Card; readonly hash: KeyHash }[],
  commit: Commit,
): Promise<void> {
  const rows = cards.map(({ card, hash }) => ({
    ...card,
    hash,
    config: JSON.stringify(cardConfigSchema.parse(card)),
  }));
  const insertion = db.prepare(
    `INSERT INTO quota_card (id, hash, config, created_at, expires_at)
     SELECT value ->> 'id', value ->> 'hash', value ->> 'config', value ->> 'createdAt', value ->> 'expiresAt'
     FROM json_each(?)`,
  );
  await commit(jsonRows(rows).map((text) => insertion.bind(text)));
}

/** Cards, the newest first. */
export async function listCards(
  db: D1Database,
  state: CardState | undefined,
  page: { readonly limit: number; readonly offset: number },
  now: EpochMs,
): Promise<{ items: Card[]; total: number }> {
  const where = `WHERE ?2 IS NULL OR ${STATE} = ?2`;
  const wanted = state ?? null;
  const [rows, count] = await db.batch([
    db
      .prepare(`${SELECT_CARDS} ${where} ORDER BY id DESC LIMIT ?3 OFFSET ?4`)
      .bind(now, wanted, page.limit, page.offset),
    db.prepare(`SELECT count(*) AS total FROM quota_card ${where}`).bind(now, wanted),
  ]);
  return { items: (rows?.results ?? []).map(toCard), total: totalSchema.parse(count?.results[0]).total };
}

export async function countCards(db: D1Database, now: EpochMs): Promise<Record<CardState, number>> {
  const { results } = await db
    .prepare(`SELECT ${STATE} AS state, count(*) AS total FROM quota_card GROUP BY 1`)
    .bind(now)
    .all();
  const rows = z.array(totalSchema.extend({ state: z.enum(CARD_STATES) })).parse(results);
  const countOf = (state: CardState) => rows.find((row) => row.state === state)?.total ?? 0;
  return {
    unused: countOf("unused"),
    redeemed: countOf("redeemed"),
    revoked: countOf("revoked"),
    expired: countOf("expired"),
  };
}

export async function findCard(db: D1Database, id: CardId, now: EpochMs): Promise<Card | null> {
  const row = await db.prepare(`${SELECT_CARDS} WHERE id = ?2`).bind(now, id).first();
  return row === null ? null : toCard(row);
}

export async function findCardByHash(db: D1Database, hash: KeyHash, now: EpochMs): Promise<Card | null> {
  const row = await db.prepare(`${SELECT_CARDS} WHERE hash = ?2`).bind(now, hash).first();
  return row === null ? null : toCard(row);
}

/** What fails a transaction about a card that is no longer what it was: there must be a value. */
const UNLESS_USED = `hash = CASE WHEN revoked_at IS NULL AND NOT ${REDEEMED} THEN hash END`;

export async function revokeCard(db: D1Database, id: CardId, now: EpochMs, commit: Commit): Promise<void> {
  await commit([
    db.prepare(`UPDATE quota_card SET ${UNLESS_USED}, revoked_at = ? WHERE id = ?`).bind(now, id),
  ]);
}

export async function deleteCard(db: D1Database, id: CardId, commit: Commit): Promise<void> {
  const unredeemed = `UPDATE quota_card SET hash = CASE WHEN NOT ${REDEEMED} THEN hash END WHERE id = ?`;
  await commit([db.prepare(unredeemed).bind(id), db.prepare("DELETE FROM quota_card WHERE id = ?").bind(id)]);
}

/** A card or redemption was used, revoked or deleted by somebody else in the meantime. */
export const isTaken = (error: unknown): boolean =>
  error instanceof Error && /constraint failed: quota_(card|redemption)\./.test(error.message);

/** What makes a card used. It fails for one that is used, revoked, expired or deleted, and `isTaken` knows the error. */
export const redemptionOfCard = (
  db: D1Database,
  redemption: { readonly id: RedemptionId; readonly cardId: CardId; readonly keyId: KeyId },
  config: RedemptionConfig,
  now: EpochMs,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO quota_redemption (id, card_id, key_id, config, redeemed_at)
       VALUES (?2, (SELECT id FROM quota_card WHERE id = ?3 AND ${STATE} = 'unused'), ?4, ?5, ?1)`,
    )
    .bind(now, redemption.id, redemption.cardId, redemption.keyId, JSON.stringify(config));

/** What ends a redemption, once. */
export const revocationOf = (
  db: D1Database,
  id: RedemptionId,
  config: RedemptionConfig,
  now: EpochMs,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE quota_redemption SET card_id = CASE WHEN revoked_at IS NULL THEN card_id END, revoked_at = ?, config = ?
       WHERE id = ?`,
    )
    .bind(now, JSON.stringify(config), id);

const SELECT_REDEMPTIONS = `SELECT r.*, k.name AS key_name FROM quota_redemption r
  LEFT JOIN relay_key k ON k.id = r.key_id`;

const redemptionRow = z.object({
  id: redemptionIdSchema,
  card_id: cardIdSchema,
  key_id: keyIdSchema,
  key_name: z.string().nullable(),
  config: z.string(),
  redeemed_at: z.number(),
  revoked_at: z.number().nullable(),
});

function toRedemption(value: unknown): Redemption {
  const row = redemptionRow.parse(value);
  return {
    ...redemptionConfigSchema.parse(JSON.parse(row.config)),
    id: row.id,
    cardId: row.card_id,
    keyId: row.key_id,
    keyName: row.key_name,
    redeemedAt: row.redeemed_at,
    revokedAt: row.revoked_at,
  };
}

export async function findRedemption(db: D1Database, id: RedemptionId): Promise<Redemption | null> {
  const row = await db.prepare(`${SELECT_REDEMPTIONS} WHERE r.id = ?`).bind(id).first();
  return row === null ? null : toRedemption(row);
}

/** Redemptions, the newest first. */
export async function listRedemptions(
  db: D1Database,
  keyId: string | undefined,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ items: Redemption[]; total: number }> {
  const [where, values] = keyId === undefined ? ["", []] : ["WHERE r.key_id = ?", [keyId]];
  const [rows, count] = await db.batch([
    db
      .prepare(`${SELECT_REDEMPTIONS} ${where} ORDER BY r.id DESC LIMIT ? OFFSET ?`)
      .bind(...values, page.limit, page.offset),
    db.prepare(`SELECT count(*) AS total FROM quota_redemption r ${where}`).bind(...values),
  ]);
  return {
    items: (rows?.results ?? []).map(toRedemption),
    total: totalSchema.parse(count?.results[0]).total,
  };
}
