/** Quota cards: made, shown, revoked and redeemed by admins, and what redemptions added taken back. */
import { Hono, type Context } from "hono";
import { z } from "zod";
import type { AuditAction } from "../domain/audit.ts";
import { RelayError } from "../domain/errors.ts";
import { cardIdSchema, keyIdSchema, newCardId, redemptionIdSchema } from "../domain/ids.ts";
import {
  CARD_REFUSALS,
  CARD_STATES,
  cardCode,
  cardSchema,
  cardsInputSchema,
  CODE_BYTES,
  redemptionSchema,
  typeOf,
  type Card,
  type CardsInput,
} from "../domain/quota-card.ts";
import {
  countCards,
  deleteCard,
  findCard,
  findRedemption,
  insertCards,
  isTaken,
  listCards,
  listRedemptions,
  revokeCard,
} from "../storage/cards.ts";
import { hashKey } from "../storage/hash.ts";
import { redeemCard, revokeRedemption, type Cashier } from "../storage/redeem.ts";
import { pageOf } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited, auditedAll } from "./audited.ts";
import { body, idParam, notFound, offsetOf, pageSchema, query, type AdminEnv } from "./context.ts";
import { reachOf } from "./key-saving.ts";
import { keyObject } from "./objects.ts";

const cardAnswer = cardSchema.meta({ id: "Card" });
const newCardsAnswer = z.object({ items: z.array(z.object({ ...cardSchema.shape, code: z.string() })) });
const countsAnswer = z.object({
  unused: z.number(),
  redeemed: z.number(),
  revoked: z.number(),
  expired: z.number(),
});
const redemptionAnswer = redemptionSchema.meta({ id: "Redemption" });

const listSchema = pageSchema.extend({ state: z.enum(CARD_STATES).optional() });
const redemptionsSchema = pageSchema.extend({ keyId: keyIdSchema.optional() });
const redeemSchema = z.strictObject({ keyId: keyIdSchema });

const cashierOf = (context: Context<AdminEnv>, action: AuditAction): Cashier => ({
  reach: reachOf(context),
  statusOf: (id) => keyObject(context.env, id).status(),
  commit: (target, change) => audited(context, action, target, change),
  now: Date.now(),
});

async function requiredCard(context: Context<AdminEnv>): Promise<Card> {
  const id = idParam(cardIdSchema, context.req.param("id") ?? "");
  const card = await findCard(context.env.DB, id, Date.now());
  if (card === null) throw notFound();
  return card;
}

async function createCards(context: Context<AdminEnv>, { count, expiresAt, ...given }: CardsInput) {
  const now = Date.now();
  const createdBy = context.get("person").username;
  const made = Array.from({ length: count }, () => {
    const code = cardCode(crypto.getRandomValues(new Uint8Array(CODE_BYTES)));
    const id = newCardId(now, crypto.getRandomValues(new Uint8Array(16)));
    const dates = { createdAt: now, expiresAt, revokedAt: null };
    const card: Card = {
      ...given,
      ...dates,
      id,
      type: typeOf(given),
      state: "unused",
      createdBy,
      hint: code.slice(-4),
    };
    return { card, code };
  });
  const cards = await Promise.all(made.map(async ({ card, code }) => ({ card, hash: await hashKey(code) })));
  const notes = made.map(({ card }) => ({ target: card.id, change: { after: card } }));
  await insertCards(context.env.DB, cards, auditedAll(context, "card.create", notes));
  return { items: made.map(({ card, code }) => ({ ...card, code })) };
}

/** Only cards that nobody redeemed. */
async function unlessTaken(card: Card, refused: readonly Card["state"][], work: () => Promise<void>) {
  if (card.state !== "unused" && refused.includes(card.state)) {
    throw new RelayError("conflict", CARD_REFUSALS[card.state]);
  }
  try {
    await work();
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new RelayError("conflict", "Somebody else was faster. Look at the card again.", { cause: error });
  }
}

export const cardRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists quota cards, the newest first.", { 200: pageOf(cardAnswer) }),
    query(listSchema),
    async (context) => {
      const { state, ...page } = context.req.valid("query");
      return context.json(await listCards(context.env.DB, state, offsetOf(page), Date.now()));
    },
  )
  .get("/stats", documented("Counts quota cards by their state.", { 200: countsAnswer }), async (context) =>
    context.json(await countCards(context.env.DB, Date.now())),
  )
  .post(
    "/",
    documented("Makes quota cards; their codes are shown this once.", { 201: newCardsAnswer }),
    body(cardsInputSchema),
    async (context) => context.json(await createCards(context, context.req.valid("json")), 201),
  )
  .get("/:id", documented("Shows a quota card.", { 200: cardAnswer }), async (context) =>
    context.json(await requiredCard(context)),
  )
  .post(
    "/:id/revoke",
    documented("Revokes a card that nobody redeemed.", { 200: cardAnswer }, ["conflict"]),
    async (context) => {
      const card = await requiredCard(context);
      const revokedAt = Date.now();
      const change = { before: { state: card.state }, after: { state: "revoked" } };
      const commit = audited(context, "card.revoke", card.id, change);
      await unlessTaken(card, ["redeemed", "revoked"], () =>
        revokeCard(context.env.DB, card.id, revokedAt, commit),
      );
      return context.json({ ...card, state: "revoked" as const, revokedAt });
    },
  )
  .post(
    "/:id/redeem",
    documented("Redeems a card for a key.", { 200: redemptionAnswer }, ["conflict"]),
    body(redeemSchema),
    async (context) => {
      const { id } = await requiredCard(context);
      const cashier = cashierOf(context, "card.redeem");
      const find = () => findCard(context.env.DB, id, cashier.now);
      const order = { find, ...context.req.valid("json"), by: context.get("person").username };
      return context.json(await redeemCard(order, cashier));
    },
  )
  .delete(
    "/:id",
    documented("Deletes a card that nobody redeemed.", { 204: null }, ["conflict"]),
    async (context) => {
      const card = await requiredCard(context);
      const commit = audited(context, "card.delete", card.id, { before: card });
      await unlessTaken(card, ["redeemed"], () => deleteCard(context.env.DB, card.id, commit));
      return context.body(null, 204);
    },
  );

export const redemptionRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists redemptions of quota cards, the newest first.", { 200: pageOf(redemptionAnswer) }),
    query(redemptionsSchema),
    async (context) => {
      const { keyId, ...page } = context.req.valid("query");
      return context.json(await listRedemptions(context.env.DB, keyId, offsetOf(page)));
    },
  )
  .post(
    "/:id/revoke",
    documented("Takes back what is not used of what a card added.", { 200: redemptionAnswer }, ["conflict"]),
    async (context) => {
      const id = idParam(redemptionIdSchema, context.req.param("id"));
      const redemption = await findRedemption(context.env.DB, id);
      if (redemption === null) throw notFound();
      return context.json(await revokeRedemption(redemption, cashierOf(context, "redemption.revoke")));
    },
  );
