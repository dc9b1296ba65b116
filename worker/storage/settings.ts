/** An admin's settings in D1, and their snapshot in KV, which the relay and the objects read. */
import { z } from "zod";
import {
  NO_SETTINGS,
  storedSettingsSchema,
  overridesSchema,
  withDefaults,
  withoutIcon,
  type Settings,
  type SettingsPatch,
  type SettingValues,
  type StoredSettings,
} from "../domain/settings.ts";
import type { EpochMs } from "../domain/ids.ts";
import { CachedSnapshot } from "./cached-snapshot.ts";
import { alone, type Commit } from "./commit.ts";
import type { SnapshotContext } from "./snapshots.ts";

const rowSchema = z
  .object({ version: z.number(), overrides: z.string(), time_zone_since: z.number() })
  .transform(({ version, overrides, time_zone_since }): StoredSettings => ({
    version,
    timeZoneSince: time_zone_since,
    overrides: overridesSchema.parse(JSON.parse(overrides)),
  }));

export async function readSettings(db: D1Database): Promise<StoredSettings> {
  return rowSchema.parse(await db.prepare("SELECT * FROM setting WHERE id = 1").first());
}

/** The settings in force by D1's own word, for who cannot do with a snapshot's. */
export async function readSettingsInForce(db: D1Database, defaults: SettingValues): Promise<Settings> {
  const { overrides, timeZoneSince } = await readSettings(db);
  return { ...withDefaults(defaults, overrides), timeZoneSince };
}

// The change is made to what is there then, so two at once are both kept.
const PATCH = `UPDATE setting SET version = version + 1, overrides = json_patch(overrides, ?1),
  time_zone_since = CASE WHEN json_extract(json_patch(overrides, ?1), '$.timeZone') IS NOT json_extract(overrides, '$.timeZone')
    THEN ?2 ELSE time_zone_since END
  WHERE id = 1`;

/** @param patch null takes an override away */
export async function patchSettings(
  db: D1Database,
  patch: SettingsPatch,
  now: EpochMs,
  commit: Commit = alone(db),
): Promise<void> {
  await commit([db.prepare(PATCH).bind(JSON.stringify(patch), now)]);
}

const snapshot = new CachedSnapshot<StoredSettings>({
  name: "settings",
  read: (stored) => storedSettingsSchema.safeParse(stored).data ?? null,
  nothing: NO_SETTINGS,
});

const made = new WeakMap<SettingValues, { readonly of: StoredSettings; readonly settings: Settings }>();

/** Made once for each change, not for each request. */
function settingsOf(defaults: SettingValues, stored: StoredSettings): Settings {
  const last = made.get(defaults);
  if (last?.of === stored) return last.settings;
  const settings = { ...withDefaults(defaults, stored.overrides), timeZoneSince: stored.timeZoneSince };
  made.set(defaults, { of: stored, settings });
  return settings;
}

/** The settings in force; they may be half a minute old. @param defaults the same object for the same environment */
export async function findSettings(defaults: SettingValues, context: SnapshotContext): Promise<Settings> {
  return settingsOf(defaults, await snapshot.find(context));
}

/** Like `findSettings`, without ever waiting: until the isolate has read them, the deployment's own. */
export const knownSettings = (defaults: SettingValues, context: SnapshotContext): Settings =>
  settingsOf(defaults, snapshot.known(context) ?? NO_SETTINGS);

export const publishSettings = (stored: StoredSettings, context: SnapshotContext): Promise<void> =>
  snapshot.put(withoutIcon(stored), context);

export const putMissingSettings = (stored: StoredSettings, context: SnapshotContext): Promise<void> =>
  snapshot.putMissing(withoutIcon(stored), context);
