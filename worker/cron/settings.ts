/** The settings for a job, which waits for D1's own word instead of a snapshot's. */
import { withDefaults, type Settings } from "../domain/settings.ts";
import { settingDefaults, type Env } from "../env.ts";
import { readSettings } from "../storage/settings.ts";

export async function settingsFor(env: Env): Promise<Settings> {
  const { overrides, timeZoneSince } = await readSettings(env.DB);
  return { ...withDefaults(settingDefaults(env), overrides), timeZoneSince };
}
