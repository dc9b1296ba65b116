/** Relay keys: what an admin enters, what the edge caches, what the key's object enforces. Pure. */
import { z } from "zod";
import { accountIdSchema, keyIdSchema, personIdSchema, type EpochMs } from "./ids.ts";
import { limitFields, type LimitId } from "./key-limits.ts";
import { modelMapSchema } from "./model-map.ts";
import { nameSchema, remarkSchema } from "./text.ts";

/** Key text: the prefix and 32 random bytes in hex. */
export const KEY_PREFIX = "cr_";

const expiresAt = z.int().min(0).nullable();
/** Lifetime that starts at the key's first use. */
const activation = z.object({ amount: z.int().min(1).max(3650), unit: z.enum(["hours", "days"]) }).nullable();
/** Where the key's requests may go; null: the shared pool, which is every account outside any group. */
const binding = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("account"), accountId: accountIdSchema }),
    z.object({ kind: z.literal("group"), group: nameSchema }),
  ])
  .nullable();

/** Words that keys are found and added up by. */
export const tagsSchema = z
  .array(nameSchema)
  .max(20)
  .refine((tags) => new Set(tags).size === tags.length, "must not name a tag twice");

const fields = {
  name: nameSchema,
  description: remarkSchema.default(""),
  tags: tagsSchema.default([]),
  /** Whose key it is, who sees it among their own; null: nobody's but the admins'. */
  ownerId: personIdSchema.nullable().default(null),
  enabled: z.boolean().default(true),
  expiresAt: expiresAt.default(null),
  activation: activation.default(null),
  binding: binding.default(null),
  /** When no account of the binding can serve, the shared pool may. */
  bindingFallback: z.boolean().default(false),
  /** Which model is used where a client asks for another, whichever account serves it. */
  modelMap: modelMapSchema.default({}),
  /** Answers say in a header how they were routed. */
  explain: z.boolean().default(false),
  ...limitFields,
} as const;

/** Each field by itself; `keyInputSchema` also sees what no single field can. */
export const keyFieldsSchema = z.object(fields);

/** What no single field can know: null where all is well, else what is wrong, with the field's name before it. */
export function inconsistency(key: z.output<typeof keyFieldsSchema>): string | null {
  const counts = [key.windowRequests, key.windowTokens, key.windowCost];
  const isLimited = counts.some((limit) => limit > 0);
  return isLimited && key.windowMinutes === 0
    ? "windowMinutes: is needed for a limit on requests, tokens or cost per window"
    : null;
}

/** Says of a new key what no single field can: for `superRefine`. */
export function refuseInconsistency(key: Parameters<typeof inconsistency>[0], issues: z.RefinementCtx): void {
  const problem = inconsistency(key);
  if (problem === null) return;
  const [field = "", message = ""] = problem.split(": ");
  issues.addIssue({ code: "custom", path: [field], message });
}

export const keyInputSchema = keyFieldsSchema.superRefine(refuseInconsistency);
export type KeyInput = z.infer<typeof keyInputSchema>;

type Fields = typeof fields;
type Patch = {
  [Name in keyof Fields]: z.ZodOptional<
    Fields[Name] extends z.ZodDefault<infer Inner extends z.ZodType> ? Inner : Fields[Name]
  >;
};

/** A default is for a new key: what a change leaves out stays as it is. */
const withoutDefault = (field: z.ZodType) => (field instanceof z.ZodDefault ? field.unwrap() : field);

/** A change to a key: what is absent stays as it is. */
export const keyPatchSchema = z.object(
  Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, z.optional(withoutDefault(field) as z.ZodType)]),
  ) as unknown as Patch,
);
export type KeyPatch = z.infer<typeof keyPatchSchema>;

export const keyConfigSchema = keyFieldsSchema.extend({
  id: keyIdSchema,
  /** The key's last characters, so that people can tell keys apart. */
  hint: z.string(),
  /** Of the key text in force: the beginning of its hash. Empty: not known, any text that finds the key will do. */
  fingerprint: z.string().default(""),
  /** The text before the one in force: its hash, and until when (epoch ms, exclusive) it works still. */
  previous: z.object({ hash: z.string(), until: z.number() }).nullable().default(null),
  /** Since when it is in the bin, where it is refused like a key that never was; null: it is not. */
  deletedAt: z.number().nullable().default(null),
  /** False: it only counts, for a budget that several keys share; each of them books for itself. */
  booksUsage: z.boolean().default(true),
  /** Its owner is switched off or gone; lifted when they come back. No admin's entry: it follows the owner. */
  suspended: z.boolean().default(false),
  /** Until when what its requests say may be captured; null: it is not. */
  captureUntil: z.number().nullable().default(null),
  createdAt: z.number(),
  /** Grows with every change, even within a ms: of two configurations, the one that is in force. */
  updatedAt: z.number(),
});
/** A key's configuration, in D1 and in the key's object, which enforces it. */
export type KeyConfig = Readonly<z.infer<typeof keyConfigSchema>>;

/** What the edge caches under `key:<hash>`: enough to find the key's object and to rank accounts. */
export const keySnapshotSchema = keyConfigSchema.pick({
  id: true,
  name: true,
  ownerId: true,
  binding: true,
  bindingFallback: true,
  modelMap: true,
  fingerprint: true,
  captureUntil: true,
  createdAt: true,
});
export type KeySnapshot = Readonly<z.infer<typeof keySnapshotSchema>>;

/** A key's running state, from its object. */
export interface KeyStatus {
  readonly activePermits: number;
  readonly waiting: number;
  /** First use, for keys whose lifetime starts then. */
  readonly activatedAt: EpochMs | null;
  readonly expiresAt: EpochMs | null;
  readonly lastUsedAt: EpochMs | null;
  readonly totalRequests: number;
  readonly totalTokens: number;
  /** Nano-dollars. */
  readonly totalCost: number;
  /** Every limit that the key has, and how far it is used. */
  readonly limits: readonly LimitStatus[];
}

/** One limit of a key: requests, tokens, or nano-dollars at the key's rates. */
export interface LimitStatus {
  readonly id: LimitId;
  readonly unit: "requests" | "tokens" | "cost";
  readonly limit: number;
  readonly used: number;
  /** Held back for requests that are running. */
  readonly reserved: number;
  /** When it begins anew; null: never, or with the next request. */
  readonly resetAt: EpochMs | null;
}

/** A key as the admin API shows it; the key text itself is shown once, at creation and rotation. */
export type KeyView = Omit<KeyConfig, "fingerprint" | "previous" | "booksUsage"> & {
  /** Until when the text before the one in force works still. */
  readonly previousUntil: EpochMs | null;
  readonly status: KeyStatus | null;
};
