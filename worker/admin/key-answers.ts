/** What the admin API answers of many keys at once, as schemas. */
import { z } from "zod";
import { keyIdSchema } from "../domain/ids.ts";
import { keyAnswer, pageOf } from "./answers.ts";

/** A key in a list: nano-dollars at list price in the days that the list is ranked by; null: it is not. */
const listedKey = z.object({ ...keyAnswer.shape, cost: z.number().nullable() }).meta({ id: "ListedKey" });
export const keyListAnswer = pageOf(listedKey);

export const tagsAnswer = z.object({ items: z.array(z.object({ name: z.string(), keys: z.number() })) });
export const tagAnswer = z.object({ name: z.string(), keys: z.number() });

/** Why not, of those it was not done to. */
const failed = z.array(z.object({ id: z.string(), error: z.string() }));

export const bulkAnswer = z.object({ succeeded: z.array(keyIdSchema), failed }).meta({ id: "BulkResult" });
export const bulkCreatedAnswer = z
  .object({
    /** With their texts, which are shown this once. */
    succeeded: z.array(z.object({ id: keyIdSchema, name: z.string(), key: z.string() })),
    failed,
  })
  .meta({ id: "BulkCreated" });

export const emptiedAnswer = z.object({ deleted: z.number(), left: z.number() });
