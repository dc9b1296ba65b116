/** What people may say of their own keys: anything that limits them, and nothing that an admin limited. Pure. */
import type { z } from "zod";
import { keyFieldsSchema, keyPatchSchema, refuseInconsistency, type KeyConfig } from "./key.ts";

/** Of a key's options, those that are its owner's. Where its requests go and how much others may do is not. */
const OWN_FIELDS = {
  name: true,
  description: true,
  tags: true,
  enabled: true,
  expiresAt: true,
  permissions: true,
  clients: true,
  allowedModels: true,
  blockedModels: true,
  concurrency: true,
  windowMinutes: true,
  windowRequests: true,
  windowTokens: true,
  windowCost: true,
  dailyCost: true,
  weeklyCost: true,
  totalCost: true,
} as const;

const ownFields = keyFieldsSchema.pick(OWN_FIELDS).strict();
/** Everything else is as a new key of an admin has it. */
export const ownKeyInputSchema = ownFields
  .transform((own) => ({ ...keyFieldsSchema.parse({ name: own.name }), ...own }))
  .superRefine(refuseInconsistency);
export type OwnKeyInput = z.output<typeof ownKeyInputSchema>;

export const ownKeyPatchSchema = keyPatchSchema.pick(OWN_FIELDS).strict();
export type OwnKeyPatch = z.output<typeof ownKeyPatchSchema>;

type OwnField = keyof typeof OWN_FIELDS;

/** Figures in which 0 is no limit. */
const FIGURES = [
  "concurrency",
  "windowRequests",
  "windowTokens",
  "windowCost",
  "dailyCost",
  "weeklyCost",
  "totalCost",
] as const satisfies readonly OwnField[];
/** Lists in which nothing is no restriction. */
const ALLOWING = ["permissions", "clients", "allowedModels"] as const satisfies readonly OwnField[];

const asLimit = (figure: number): number => (figure === 0 ? Infinity : figure);

const isWithin = (before: readonly string[], after: readonly string[]): boolean =>
  before.length === 0 || (after.length > 0 && after.every((each) => before.includes(each)));

/** A window counts the same only as long as it is as long, wherever something is counted in it. */
const hasWindow = (key: KeyConfig): boolean =>
  key.windowRequests > 0 || key.windowTokens > 0 || key.windowCost > 0;

/**
 * The first field in which a key would allow more than before; null: none. Its owner may tighten a key and no more:
 * what they loosen may be what an admin set.
 */
export function loosened(before: KeyConfig, patch: OwnKeyPatch): OwnField | null {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const after: KeyConfig = { ...before, ...(Object.fromEntries(given) as Partial<KeyConfig>) };
  if (after.enabled && !before.enabled) return "enabled";
  if ((after.expiresAt ?? Infinity) > (before.expiresAt ?? Infinity)) return "expiresAt";
  if (hasWindow(before) && after.windowMinutes !== before.windowMinutes) return "windowMinutes";
  const figure = FIGURES.find((name) => asLimit(after[name]) > asLimit(before[name]));
  if (figure !== undefined) return figure;
  const list = ALLOWING.find((name) => !isWithin(before[name], after[name]));
  if (list !== undefined) return list;
  const keepsBlocks = before.blockedModels.every((model) => after.blockedModels.includes(model));
  return keepsBlocks ? null : "blockedModels";
}
