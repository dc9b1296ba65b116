/** A message of an answer, whatever an upstream may send: what cannot be read counts as absent. Pure. */
import { z } from "zod";
import type { JsonObject } from "../../neutral.ts";
import { isObject, unwrapped } from "../usage.ts";

const text = z.string().optional().catch(undefined);
const jsonObject = z.custom<JsonObject>(isObject);

/** Those items that can be read. */
const readable = <Item extends z.ZodType>(item: Item) =>
  z
    .array(z.unknown())
    .catch([])
    .transform((values) =>
      values.flatMap((value) => {
        const result = item.safeParse(value);
        return result.success ? [result.data] : [];
      }),
    );

const partSchema = z.object({
  text,
  thought: z.boolean().optional().catch(undefined),
  thoughtSignature: text,
  inlineData: z.object({ mimeType: z.string(), data: z.string() }).optional().catch(undefined),
  functionCall: z
    .object({ id: text, name: z.string(), args: jsonObject.optional().catch(undefined) })
    .optional()
    .catch(undefined),
});
export type AnswerPart = z.output<typeof partSchema>;

const contentSchema = z.object({ parts: readable(partSchema) });

const candidateSchema = z.object({
  index: z.number().optional().catch(undefined),
  content: contentSchema.optional().catch(undefined),
  finishReason: text,
  finishMessage: text,
});
export type Candidate = z.output<typeof candidateSchema>;

const messageSchema = z.object({
  candidates: readable(candidateSchema),
  promptFeedback: z.object({ blockReason: text, blockReasonMessage: text }).optional().catch(undefined),
  usageMetadata: jsonObject.optional().catch(undefined),
  modelVersion: text,
  responseId: text,
});
export type AnswerMessage = z.output<typeof messageSchema>;

const errorSchema = z.object({
  code: z.number().optional().catch(undefined),
  message: text,
  status: text,
});
export type ReportedError = z.output<typeof errorSchema>;

export const readMessage = (data: unknown): AnswerMessage =>
  messageSchema.parse(isObject(data) ? unwrapped(data) : {});

export const readError = (data: unknown): ReportedError | null =>
  isObject(data) && isObject(data.error) ? errorSchema.parse(data.error) : null;
