/** What tokens cost here: the list, as it was bundled or fetched, the deployment's own prices before it, and both for what was booked before. */
import { Hono, type Context } from "hono";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { requestIdSchema } from "../domain/ids.ts";
import { NO_PRICE_LIST } from "../domain/price-list.ts";
import { pricedModelSchema, priceInputSchema } from "../domain/price-override.ts";
import { momentSchema } from "../domain/usage-range.ts";
import { refreshPrices } from "../price-list/refresh.ts";
import { listInForce, pricesInForce } from "../pricing/in-force.ts";
import { PRICE_TABLE, type PriceTable } from "../pricing/table.ts";
import { readPriceList } from "../storage/price-list.ts";
import { deleteOverride, listOverrides, putOverrides, saveOverride } from "../storage/prices.ts";
import { priceAnswer, pricesAnswer, refreshedPricesAnswer, repricedAnswer } from "./usage-answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited, noted } from "./audited.ts";
import { body, idParam, notFound, snapshotsOf, type AdminEnv } from "./context.ts";
import { reprice } from "./reprice.ts";
import { daysOf } from "./usage-query.ts";

/** Where the bundled list comes from, see scripts/prices.ts. */
const SOURCE = "https://github.com/pydantic/genai-prices";

/** Without what may be a secret in it: viewers see it. */
function shownAddress(address: string): string {
  const { origin, pathname } = new URL(address);
  return origin + pathname;
}

const modelOf = (context: Context<AdminEnv>): string =>
  idParam(pricedModelSchema, context.req.param("model") ?? "");

const allPrices = async ({ env }: Context<AdminEnv>) => {
  const [own, { list, state }] = await Promise.all([listOverrides(env.DB), readPriceList(env.DB)]);
  // Switched off, a list that was fetched before no longer counts.
  return { own, list: env.PRICES_URL === "off" ? NO_PRICE_LIST : list, state };
};

async function tableInForce(context: Context<AdminEnv>): Promise<PriceTable> {
  const { own, list } = await allPrices(context);
  return pricesInForce(list, own);
}

async function publish(context: Context<AdminEnv>): Promise<void> {
  await putOverrides(await listOverrides(context.env.DB), snapshotsOf(context));
}

const repriceSchema = z.strictObject({
  from: momentSchema,
  to: momentSchema,
  after: requestIdSchema.optional(),
});

export const priceRoutes = new Hono<AdminEnv>()
  .get("/", documented("Shows the prices in force.", { 200: pricesAnswer }), async (context) => {
    const { own, list, state } = await allPrices(context);
    const { version, models } = pricesInForce(list, own);
    const source = listInForce(list) === PRICE_TABLE ? SOURCE : shownAddress(context.env.PRICES_URL);
    return context.json({ version, source, ...state, overrides: own.overrides, models });
  })
  .post(
    "/refresh",
    documented("Fetches the public list of prices now.", { 200: refreshedPricesAnswer }, ["invalid_request"]),
    async (context) => {
      const { env } = context;
      if (env.PRICES_URL === "off") {
        throw new RelayError("invalid_request", "Prices are not fetched here: PRICES_URL is off.");
      }
      const refreshed = await refreshPrices({ env, ...snapshotsOf(context) }, (after) =>
        audited(context, "price.refresh", "prices", { after }),
      );
      return context.json(refreshed);
    },
  )
  .post(
    "/reprice",
    documented("Prices what was booked before anew, a batch at a time.", { 200: repricedAnswer }),
    body(repriceSchema),
    async (context) => {
      const { after, ...asked } = context.req.valid("json");
      const order = { ...daysOf(context, asked), timeZone: context.get("settings").timeZone, after };
      const repriced = await reprice(context.env.DB, order, await tableInForce(context));
      await noted(context, "price.reprice", `${order.firstDay} to ${order.lastDay}`, {
        after: { ...repriced },
      });
      return context.json(repriced);
    },
  )
  .put(
    "/:model{.+}",
    documented("Sets a price of the deployment's own.", { 200: priceAnswer }),
    body(priceInputSchema),
    async (context) => {
      const override = { model: modelOf(context), ...context.req.valid("json") };
      const change = { after: override };
      await saveOverride(context.env.DB, override, audited(context, "price.save", override.model, change));
      await publish(context);
      return context.json(override);
    },
  )
  .delete("/:model{.+}", documented("Goes back to the list's price.", { 204: null }), async (context) => {
    const model = modelOf(context);
    const { overrides } = await listOverrides(context.env.DB);
    const before = overrides.find((each) => each.model === model);
    if (before === undefined) throw notFound();
    await deleteOverride(context.env.DB, model, audited(context, "price.delete", model, { before }));
    await publish(context);
    return context.body(null, 204);
  });
