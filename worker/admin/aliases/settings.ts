/** Rates of services, and what the site is called, by the paths of claude-relay-service. */
import { z } from "zod";
import { brandingAnswer, settingsAnswer } from "../settings-answers.ts";
import { alias, given, single, type Alias } from "./alias.ts";

const ratesOf = ({ values }: z.output<typeof settingsAnswer>) => {
  const { claude = 1, openai = 1, gemini = 1, droid = 1 } = values.rates;
  return single({ baseService: "claude", rates: { claude, codex: openai, gemini, droid } });
};

const brandOf = ({ name, icon, notice }: z.output<typeof brandingAnswer>) =>
  single({ siteName: name, siteIcon: "", siteIconData: icon ?? "", notice });

const rate = z.number().optional();

export const settingAliases: readonly Alias[] = [
  alias({
    method: "GET",
    path: "/admin/service-rates",
    like: "GET /admin/settings",
    run: async ({ ask }) => ratesOf(await ask(settingsAnswer, "GET", "/settings")),
  }),
  alias({
    method: "PUT",
    path: "/admin/service-rates",
    like: "PATCH /admin/settings",
    body: z.object({ rates: z.object({ claude: rate, codex: rate, gemini: rate, droid: rate }) }),
    run: async ({ ask, body: { rates } }) => {
      const { codex, ...others } = rates;
      const patch = { rates: given({ ...others, openai: codex }) };
      return ratesOf(await ask(settingsAnswer, "PATCH", "/settings", patch));
    },
  }),
  alias({
    method: "PUT",
    path: "/admin/oem-settings",
    like: "PATCH /admin/settings",
    body: z.strictObject({
      siteName: z.string().optional(),
      siteIconData: z.string().optional(),
      // Sent by old forms; there is no such thing here.
      siteIcon: z.unknown().optional(),
      showAdminButton: z.unknown().optional(),
      apiStatsNotice: z.unknown().optional(),
    }),
    run: async ({ ask, body: { siteName, siteIconData } }) => {
      const icon = siteIconData === "" ? null : siteIconData;
      const patch = { branding: given({ name: siteName, icon }) };
      await ask(settingsAnswer, "PATCH", "/settings", patch);
      return brandOf(await ask(brandingAnswer, "GET", "/branding"));
    },
  }),
];

/** What a page shows before anybody has signed in. */
export const openSettingAliases: readonly Alias[] = [
  alias({
    method: "GET",
    path: "/admin/oem-settings",
    like: "GET /admin/branding",
    run: async ({ ask }) => brandOf(await ask(brandingAnswer, "GET", "/branding")),
  }),
];
