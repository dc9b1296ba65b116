/** What the routes about settings answer, as schemas. */
import { z } from "zod";
import { overridesSchema, settingsSchema } from "../domain/settings.ts";

export const settingsAnswer = z
  .object({ values: settingsSchema, defaults: settingsSchema, overrides: overridesSchema })
  .meta({ id: "Settings" });

const isEnabled = z.object({ enabled: z.boolean() });

export const brandingAnswer = z
  .object({
    name: z.string(),
    /** A data URL. */
    icon: z.string().nullable(),
    notice: z.string().nullable(),
    publicPage: isEnabled,
    registration: isEnabled,
  })
  .meta({ id: "Branding" });
