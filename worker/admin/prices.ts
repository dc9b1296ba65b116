/** What tokens cost here: the list, the deployment's own prices before it, and both for what was booked before. */
import { Hono, type Context } from "hono";
import { z } from "zod";
import { requestIdSchema } from "../domain/ids.ts";
import { pricedModelSchema, priceInputSchema } from "../domain/price-override.ts";
import { momentSchema } from "../domain/usage-range.ts";
import { withOverrides } from "../pricing/overrides.ts";
import { PRICE_TABLE } from "../pricing/table.ts";
import { deleteOverride, listOverrides, putOverrides, saveOverride } from "../storage/prices.ts";
import { body, idParam, notFound, snapshotsOf, type AdminEnv } from "./context.ts";
import { reprice } from "./reprice.ts";
import { daysOf } from "./usage-query.ts";

/** Where the bundled list comes from, see scripts/prices.ts. */
const SOURCE = "https://github.com/pydantic/genai-prices";

const modelOf = (context: Context<AdminEnv>): string =>
  idParam(pricedModelSchema, context.req.param("model") ?? "");

const tableInForce = async (context: Context<AdminEnv>) =>
  withOverrides(PRICE_TABLE, await listOverrides(context.env.DB));

async function publish(context: Context<AdminEnv>): Promise<void> {
  await putOverrides(await listOverrides(context.env.DB), snapshotsOf(context));
}

const repriceSchema = z.strictObject({
  from: momentSchema,
  to: momentSchema,
  after: requestIdSchema.optional(),
});

export const priceRoutes = new Hono<AdminEnv>()
  .get("/", async (context) => {
    const own = await listOverrides(context.env.DB);
    const { version, models } = withOverrides(PRICE_TABLE, own);
    return context.json({ version, source: SOURCE, overrides: own.overrides, models });
  })
  .post("/reprice", body(repriceSchema), async (context) => {
    const { after, ...asked } = context.req.valid("json");
    const order = { ...daysOf(context, asked), timeZone: context.env.TIMEZONE, after };
    return context.json(await reprice(context.env.DB, order, await tableInForce(context)));
  })
  .put("/:model{.+}", body(priceInputSchema), async (context) => {
    const override = { model: modelOf(context), ...context.req.valid("json") };
    await saveOverride(context.env.DB, override);
    await publish(context);
    return context.json(override);
  })
  .delete("/:model{.+}", async (context) => {
    if (!(await deleteOverride(context.env.DB, modelOf(context)))) throw notFound();
    await publish(context);
    return context.body(null, 204);
  });
