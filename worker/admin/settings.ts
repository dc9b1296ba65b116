/** What an admin changes while the relay runs, and the part of it that anybody sees. */
import { Hono, type Context } from "hono";
import {
  overridesSchema,
  settingNameSchema,
  settingsPatchSchema,
  settingsSchema,
  withDefaults,
  withPatch,
  type Overrides,
  type SettingsPatch,
} from "../domain/settings.ts";
import { RelayError } from "../domain/errors.ts";
import { settingDefaults } from "../env.ts";
import { patchSettings, publishSettings, readSettings } from "../storage/settings.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited } from "./audited.ts";
import { body, idParam, notFound, snapshotsOf, type AdminEnv } from "./context.ts";
import { lacksFactor } from "./session.ts";
import { brandingAnswer, settingsAnswer } from "./settings-answers.ts";

type Ask = Context<AdminEnv>;

/** A browser may keep what anybody may see for so long, in s. */
const BRANDING_KEPT_S = 60;

async function viewOf(context: Ask) {
  const { overrides } = await readSettings(context.env.DB);
  const defaults = settingDefaults(context.env);
  const values = withDefaults(defaults, overrides);
  return {
    values: settingsSchema.parse(values),
    defaults: settingsSchema.parse(defaults),
    overrides: overridesSchema.parse(overrides),
  };
}

/** A picture says nothing in a log. */
const logged = ({ branding, ...rest }: Overrides) => ({
  ...rest,
  ...(branding === undefined
    ? {}
    : { branding: { ...branding, ...(branding.icon === undefined ? {} : { icon: "a picture" }) } }),
});

async function change(context: Ask, patch: SettingsPatch, target: string): Promise<void> {
  const { DB } = context.env;
  const { overrides } = await readSettings(DB);
  const both = { before: logged(overrides), after: logged(withPatch(overrides, patch)) };
  await patchSettings(DB, patch, Date.now(), audited(context, "settings.update", target, both));
  await publishSettings(await readSettings(DB), snapshotsOf(context));
}

/** Whoever asks it of all would be the first to be shut out. */
async function assertNotShutOut(context: Ask, { requireSecondFactor }: SettingsPatch): Promise<void> {
  if (requireSecondFactor !== true || !(await lacksFactor(context.env, context.get("person")))) return;
  const message =
    "requireSecondFactor: set up your own first, with POST /admin/me/totp or /admin/me/passkeys";
  throw new RelayError("conflict", message);
}

export const settingsRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Shows the settings in force, the deployment's own, and what differs.", {
      200: settingsAnswer,
    }),
    async (context) => context.json(await viewOf(context)),
  )
  .patch(
    "/",
    documented(
      "Changes settings; what is left out stays, null goes back to the deployment's.",
      {
        200: settingsAnswer,
      },
      ["conflict"],
    ),
    body(settingsPatchSchema),
    async (context) => {
      await assertNotShutOut(context, context.req.valid("json"));
      await change(context, context.req.valid("json"), "settings");
      return context.json(await viewOf(context));
    },
  )
  .delete(
    "/:name",
    documented("Goes back to the deployment's own value.", { 200: settingsAnswer }),
    async (context) => {
      const name = idParam(settingNameSchema, context.req.param("name"));
      const { overrides } = await readSettings(context.env.DB);
      if (overrides[name] === undefined) throw notFound();
      await change(context, { [name]: null }, name);
      return context.json(await viewOf(context));
    },
  );

/** For the pages that are there before anybody has signed in. */
export const brandingRoutes = new Hono<AdminEnv>().get(
  "/branding",
  documented("What the pages that need no sign-in look like.", { 200: brandingAnswer }),
  async (context) => {
    const { overrides } = await readSettings(context.env.DB);
    const { branding, publicPage, registration } = withDefaults(settingDefaults(context.env), overrides);
    context.header("cache-control", `public, max-age=${String(BRANDING_KEPT_S)}`);
    return context.json({
      name: branding.name,
      icon: branding.icon,
      notice: branding.notice,
      publicPage: { enabled: publicPage.enabled },
      registration: { enabled: registration.enabled },
    });
  },
);
