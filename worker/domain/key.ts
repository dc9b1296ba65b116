/** Relay keys: what an admin enters, what the edge caches, what the key's object enforces. Pure. */
import { z } from "zod";
import { accountIdSchema, keyIdSchema, type EpochMs } from "./ids.ts";
import { nameSchema } from "./text.ts";

/** Key text: the prefix and 32 random bytes in hex. */
export const KEY_PREFIX = "cr_";

const expiresAt = z.int().min(0).nullable();
/** Lifetime that starts at the key's first use. */
const activation = z.object({ amount: z.int().min(1).max(3650), unit: z.enum(["hours", "days"]) }).nullable();
/** Simultaneous requests; 0 is unlimited. */
const concurrency = z.int().min(0).max(10_000);
/** Requests that may wait for one of the key's slots; 0: refuse at once. */
const queueLength = z.int().min(0).max(1000);
/** Where the key's requests may go; null: the shared pool, which is every account outside any group. */
const binding = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("account"), accountId: accountIdSchema }),
    z.object({ kind: z.literal("group"), group: nameSchema }),
  ])
  .nullable();

export const keyInputSchema = z.object({
  name: nameSchema,
  enabled: z.boolean().default(true),
  expiresAt: expiresAt.default(null),
  activation: activation.default(null),
  concurrency: concurrency.default(0),
  queueLength: queueLength.default(0),
  binding: binding.default(null),
});
export type KeyInput = z.infer<typeof keyInputSchema>;

export const keyPatchSchema = z.object({
  name: nameSchema.optional(),
  enabled: z.boolean().optional(),
  expiresAt: expiresAt.optional(),
  activation: activation.optional(),
  concurrency: concurrency.optional(),
  queueLength: queueLength.optional(),
  binding: binding.optional(),
});
export type KeyPatch = z.infer<typeof keyPatchSchema>;

export const keyConfigSchema = keyInputSchema.extend({
  id: keyIdSchema,
  /** The key's last characters, so that people can tell keys apart. */
  hint: z.string(),
  createdAt: z.number(),
  updatedAt: z.number(),
});
/** A key's configuration, in D1 and in the key's object, which enforces it. */
export type KeyConfig = Readonly<z.infer<typeof keyConfigSchema>>;

/** What the edge caches under `key:<hash>`: enough to find the key's object and to rank accounts. */
export const keySnapshotSchema = keyConfigSchema.pick({
  id: true,
  name: true,
  binding: true,
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
}

/** A key as the admin API shows it; the key text itself is shown once, at creation and rotation. */
export type KeyView = KeyConfig & { readonly status: KeyStatus | null };
