/** People who sign in: what an owner enters, what they may do, and the limits of their own keys. Pure. */
import { z } from "zod";
import { personIdSchema, type EpochMs } from "./ids.ts";
import { limitFields } from "./key-limits.ts";
import { nameSchema } from "./text.ts";

/**
 * What a person may do, each role more than the one before:
 * - `user`: has keys of their own, and sees those and what they used
 * - `viewer`: sees everything
 * - `admin`: changes accounts, keys and settings
 * - `owner`: changes people, too
 */
export const ROLES = ["user", "viewer", "admin", "owner"] as const;
export type Role = (typeof ROLES)[number];

export const hasRole = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);

/** Names that may be typed, put into a URL and read out on the telephone. */
export const usernameSchema = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{1,63}$/, "must be 2 to 64 letters, digits or . _ @ + -");
/** NIST SP 800-63B-4: length counts, composition rules do not. */
export const passwordSchema = z.string().min(8, "must have at least 8 characters").max(200);

/** Where a person's password is checked. */
export const PERSON_SOURCES = ["local", "ldap", "oidc"] as const;

const email = z.union([z.email(), z.literal("")]);
/** How many keys a person may make; 0: none. */
const keysMax = z.int().min(0).max(1000);
/** What all keys of a person may cost together, in US dollars, whatever each may by itself; 0: no limit. */
const { dailyCost, weeklyCost, totalCost } = limitFields;

export const personInputSchema = z.object({
  username: usernameSchema,
  password: passwordSchema,
  name: z.union([nameSchema, z.literal("")]).default(""),
  email: email.default(""),
  role: z.enum(ROLES).default("user"),
  keysMax: keysMax.default(5),
  dailyCost,
  weeklyCost,
  totalCost,
  enabled: z.boolean().default(true),
});
export type PersonInput = z.infer<typeof personInputSchema>;

/** A change to a person: what is absent stays as it is. */
export const personPatchSchema = z.object({
  password: passwordSchema.optional(),
  name: z.union([nameSchema, z.literal("")]).optional(),
  email: email.optional(),
  role: z.enum(ROLES).optional(),
  keysMax: keysMax.optional(),
  dailyCost: dailyCost.unwrap().optional(),
  weeklyCost: weeklyCost.unwrap().optional(),
  totalCost: totalCost.unwrap().optional(),
  enabled: z.boolean().optional(),
});
export type PersonPatch = z.infer<typeof personPatchSchema>;

export const personSchema = z.object({
  id: personIdSchema,
  username: z.string(),
  name: z.string(),
  email: z.string(),
  role: z.enum(ROLES),
  source: z.enum(PERSON_SOURCES).default("local"),
  keysMax: z.number(),
  dailyCost: z.number().default(0),
  weeklyCost: z.number().default(0),
  totalCost: z.number().default(0),
  enabled: z.boolean(),
  createdAt: z.number(),
  updatedAt: z.number(),
  lastLoginAt: z.number().nullable().default(null),
});
export type Person = Readonly<z.infer<typeof personSchema>>;

/** No person in D1 has it. */
export const FIRST_OWNER_ID = personIdSchema.parse("per_00000000");

/** The person that the deployment's own variables name: always there, and always an owner. */
export const firstOwner = (username: string): Person => ({
  id: FIRST_OWNER_ID,
  username,
  name: "",
  email: "",
  role: "owner",
  source: "local",
  keysMax: 1000,
  dailyCost: 0,
  weeklyCost: 0,
  totalCost: 0,
  enabled: true,
  createdAt: 0 satisfies EpochMs,
  updatedAt: 0,
  lastLoginAt: null,
});
