/**
 * What an admin may change while the relay runs. The deployment's variables are the defaults; an override stands
 * before its default, and one that is absent does not. Pure.
 */
import { z } from "zod";
import { PROTECTED_REASONS } from "./cooldown.ts";
import type { EpochMs } from "./ids.ts";
import { SERVICES } from "./service.ts";
import { timeZoneSchema } from "./time-zone.ts";

const DAY_MS = 86_400_000;
/** A favicon of some hundred pixels; an answer that anybody may ask for should stay small. */
const ICON_LENGTH_MAX = 100_000;

const PLAIN = /^[^\p{Cc}\p{Cs}]*$/u;
/** Line breaks are welcome. */
const PLAIN_LINES = /^(?:[^\p{Cc}\p{Cs}]|\n)*$/u;

// Not SVG, which may carry a script.
const ICON =
  /^data:image\/(?:png|jpeg|webp);base64,(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const cooldowns = PROTECTED_REASONS.map((reason) => [reason, z.int().min(0).max(86_400)] as const);
const rates = SERVICES.map((service) => [service, z.number().min(0).max(100)] as const);
type Fields<Name extends string, Field> = Readonly<Record<Name, Field>>;

/** Settings with one value each. */
export const plainFields = {
  /** How long a moved conversation stays where it went, in ms, renewed by use. */
  sessionTtlMs: z
    .int()
    .min(1000)
    .max(30 * DAY_MS),
  /** How long a conversation waits for its own account's rest to end before it moves, in ms; 0: never. */
  sessionPatienceMs: z.int().min(0).max(60_000),
  /** Longest wait for a slot, in ms. */
  queueTimeoutMs: z.int().min(0).max(600_000),
  /** How long a stream's beginning is held back until its first content, in ms; 0: not at all. */
  holdBackMs: z.int().min(0).max(30_000),
  /** How long the way a request was routed is kept. */
  routingDays: z.int().min(0).max(365),
  /** How long records are kept; their sums stay. 0: for ever. */
  recordMonths: z.int().min(0).max(1200),
  /** Where a day begins. */
  timeZone: timeZoneSchema,
  /** Whoever signs in must have a second factor. */
  requireSecondFactor: z.boolean(),
  /** One line of the log for each request's end. */
  logRequests: z.boolean(),
} as const;

/** Settings with several values, each of which may be set by itself. */
export const groupedFields = {
  /** How long accounts rest after each kind of failure, in seconds; 0: not at all. An account's own stand before. */
  cooldownSeconds: Object.fromEntries(cooldowns) as Fields<(typeof PROTECTED_REASONS)[number], z.ZodInt>,
  /** What each service's cost counts against budgets, times the key's own rates. */
  rates: Object.fromEntries(rates) as Fields<(typeof SERVICES)[number], z.ZodNumber>,
  branding: {
    name: z.string().trim().min(1).max(100).regex(PLAIN, "must not contain control characters"),
    icon: z
      .string()
      .max(ICON_LENGTH_MAX)
      .regex(ICON, "must be a data URL of a PNG, JPEG or WebP picture, base64"),
    /** Shown to whoever is about to sign in. */
    notice: z.string().trim().max(2000).regex(PLAIN_LINES, "must not contain control characters"),
  },
  /** The page on which a key's holder sees its use without signing in. */
  publicPage: { enabled: z.boolean() },
  /** Whether people may make an account of their own, always with the role `user`, and how many keys they may have. */
  registration: { enabled: z.boolean(), keysMax: z.int().min(0).max(1000) },
} as const;

type Grouped = typeof groupedFields;
type Plain = typeof plainFields;

export const SETTING_NAMES = [
  ...Object.keys(plainFields),
  ...Object.keys(groupedFields),
] as readonly SettingName[];
export type SettingName = keyof Plain | keyof Grouped;
export const settingNameSchema = z.enum(SETTING_NAMES as [SettingName, ...SettingName[]]);

/** What differs from the deployment's variables. As it is stored, so what another version wrote is left out. */
export const overridesSchema = z
  .object({
    ...plainFields,
    cooldownSeconds: z.object(groupedFields.cooldownSeconds).partial(),
    rates: z.object(groupedFields.rates).partial(),
    branding: z.object(groupedFields.branding).partial(),
    publicPage: z.object(groupedFields.publicPage).partial(),
    registration: z.object(groupedFields.registration).partial(),
  })
  .partial();
export type Overrides = Readonly<z.infer<typeof overridesSchema>>;

const nullishOf = <Shape extends Readonly<Record<string, z.ZodType>>>(shape: Shape) =>
  Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, field.nullish()])) as {
    readonly [Name in keyof Shape]: z.ZodOptional<z.ZodNullable<Shape[Name]>>;
  };
const groupPatch = <Shape extends Readonly<Record<string, z.ZodType>>>(shape: Shape) =>
  z.strictObject(nullishOf(shape)).nullish();

/** What is left out stays; null goes back to the default, of one value or of the whole group. */
export const settingsPatchSchema = z.strictObject({
  ...nullishOf(plainFields),
  cooldownSeconds: groupPatch(groupedFields.cooldownSeconds),
  rates: groupPatch(groupedFields.rates),
  branding: groupPatch(groupedFields.branding),
  publicPage: groupPatch(groupedFields.publicPage),
  registration: groupPatch(groupedFields.registration),
});
export type SettingsPatch = Readonly<z.infer<typeof settingsPatchSchema>>;

/** The settings in force. */
export const settingsSchema = z.object({
  ...plainFields,
  cooldownSeconds: z.object(groupedFields.cooldownSeconds).partial(),
  rates: z.object(groupedFields.rates).partial(),
  branding: z.object({ name: z.string(), icon: z.string().nullable(), notice: z.string().nullable() }),
  publicPage: z.object(groupedFields.publicPage),
  registration: z.object({ ...groupedFields.registration, role: z.literal("user") }),
});
type Values = z.infer<typeof settingsSchema>;
export type SettingValues = { readonly [Name in keyof Values]: Readonly<Values[Name]> };

/** How the relay reads them: without the icon, which no request needs. */
export interface Settings extends SettingValues {
  /** When the time zone was last changed: sums of days before are of the zone of before. 0: it never was. */
  readonly timeZoneSince: EpochMs;
}

/** As D1 and the snapshot have them. */
export const storedSettingsSchema = z.object({
  /** Counts the changes. */
  version: z.number(),
  timeZoneSince: z.number(),
  overrides: overridesSchema,
});
export type StoredSettings = Readonly<z.infer<typeof storedSettingsSchema>>;

export const NO_SETTINGS: StoredSettings = { version: 0, timeZoneSince: 0, overrides: {} };

type Loose = Readonly<Record<string, unknown>>;

const isGroup = (value: unknown): value is Loose => typeof value === "object" && value !== null;

/** RFC 7396, as SQLite's json_patch does it: null takes away, groups are merged, everything else replaces. */
function patched(before: Loose, patch: Loose): Loose {
  const after = new Map(Object.entries(before));
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) after.delete(name);
    else if (isGroup(value)) {
      const known = after.get(name);
      after.set(name, patched(isGroup(known) ? known : {}, value));
    } else after.set(name, value);
  }
  return Object.fromEntries(after);
}

export const withPatch = (before: Overrides, patch: SettingsPatch): Overrides =>
  overridesSchema.parse(patched(before, patch));

/** What is not overridden is as the deployment has it. */
export function withDefaults(defaults: SettingValues, overrides: Overrides): SettingValues {
  const { cooldownSeconds, rates: multipliers, branding, publicPage, registration, ...plain } = overrides;
  return {
    ...defaults,
    ...(Object.fromEntries(
      Object.entries(plain).filter(([, value]) => value !== undefined),
    ) as Partial<SettingValues>),
    cooldownSeconds: { ...defaults.cooldownSeconds, ...cooldownSeconds },
    rates: { ...defaults.rates, ...multipliers },
    branding: {
      name: branding?.name ?? defaults.branding.name,
      icon: branding?.icon ?? defaults.branding.icon,
      notice: branding?.notice ?? defaults.branding.notice,
    },
    publicPage: { enabled: publicPage?.enabled ?? defaults.publicPage.enabled },
    registration: {
      ...defaults.registration,
      enabled: registration?.enabled ?? defaults.registration.enabled,
      keysMax: registration?.keysMax ?? defaults.registration.keysMax,
    },
  };
}

/** What every isolate keeps: the icon may be larger than all the rest. */
export function withoutIcon(stored: StoredSettings): StoredSettings {
  const { branding } = stored.overrides;
  if (branding?.icon === undefined) return stored;
  const { icon: _, ...rest } = branding;
  return { ...stored, overrides: { ...stored.overrides, branding: rest } };
}
