/** The settings for a job, which waits for D1's own word instead of a snapshot's. */
import type { Settings } from "../domain/settings.ts";
import { settingDefaults, type Env } from "../env.ts";
import { readSettingsInForce } from "../storage/settings.ts";

export const settingsFor = (env: Env): Promise<Settings> => readSettingsInForce(env.DB, settingDefaults(env));
