/** What a Messages request may look like, as far as it is translated. Unknown fields are passed over. Pure. */
import { z } from "zod";
import { RelayError } from "../../../domain/errors.ts";
import type { CacheMark } from "../../neutral.ts";

const cacheControl = z.looseObject({ ttl: z.string().nullish() }).nullish();
const cached = { cache_control: cacheControl };

/** The one field that all blocks have; the others are read by their type. */
export const blockSchema = z.looseObject({ type: z.string() });
export type Block = z.infer<typeof blockSchema>;

const contentSchema = z.union([z.string(), z.array(blockSchema)]);
export type Content = z.infer<typeof contentSchema>;

export const textBlock = z.looseObject({ text: z.string(), ...cached });
export const thinkingBlock = z.looseObject({ thinking: z.string(), signature: z.string().nullish() });
export const redactedBlock = z.looseObject({ data: z.string() });
export const toolUseBlock = z.looseObject({
  id: z.string(),
  name: z.string(),
  input: z.unknown().optional(),
});
export const toolResultBlock = z.looseObject({
  tool_use_id: z.string(),
  content: contentSchema.nullish(),
  is_error: z.boolean().nullish(),
  ...cached,
});
export const searchResultBlock = z.looseObject({
  source: z.string(),
  title: z.string(),
  content: z.array(textBlock),
  ...cached,
});
export const toolReferenceBlock = z.looseObject({ tool_name: z.string() });
export const compactionBlock = z.looseObject({ content: z.string().nullish() });

export const sourceSchema = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("base64"), media_type: z.string(), data: z.string() }),
  z.looseObject({ type: z.literal("url"), url: z.string() }),
  z.looseObject({ type: z.literal("text"), data: z.string() }),
  z.looseObject({ type: z.literal("content"), content: contentSchema }),
  z.looseObject({ type: z.literal("file"), file_id: z.string() }),
]);
export const mediaBlock = z.looseObject({
  source: sourceSchema,
  title: z.string().nullish(),
  context: z.string().nullish(),
  citations: z.looseObject({ enabled: z.boolean().nullish() }).nullish(),
  ...cached,
});
export type MediaBlock = z.infer<typeof mediaBlock>;

const effortSchema = z.looseObject({ effort: z.string().nullish() }).nullish();

const messageSchema = z.looseObject({
  role: z.enum(["user", "assistant", "system"]),
  content: contentSchema.nullish(),
  /** Of a system message: how much effort from here on. */
  output_config: effortSchema,
  /** Of a system message: `next_user_message` takes it away again. */
  clear_at: z.string().nullish(),
});
export type Message = z.infer<typeof messageSchema>;

export const toolSchema = z.looseObject({
  type: z.string().nullish(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  input_schema: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
  defer_loading: z.boolean().nullish(),
  ...cached,
});
export type ToolEntry = z.infer<typeof toolSchema>;

export const toolChangeBlock = z.looseObject({
  tool: z.looseObject({ type: z.string(), name: z.string().nullish(), definition: toolSchema.nullish() }),
});

const thinkingSchema = z.looseObject({
  type: z.enum(["enabled", "adaptive", "disabled", "between_tools"]),
  budget_tokens: z.number().nullish(),
  display: z.string().nullish(),
});

const jsonFormat = z.looseObject({ type: z.string(), schema: z.record(z.string(), z.unknown()).nullish() });

export const requestSchema = z.looseObject({
  model: z.string().min(1),
  stream: z.boolean().nullish(),
  system: contentSchema.nullish(),
  messages: z.array(messageSchema),
  tools: z.array(toolSchema).nullish(),
  tool_choice: z
    .looseObject({
      type: z.enum(["auto", "any", "tool", "none"]),
      name: z.string().nullish(),
      disable_parallel_tool_use: z.boolean().nullish(),
    })
    .nullish(),
  max_tokens: z.number().nonnegative().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  thinking: thinkingSchema.nullish(),
  output_config: z.looseObject({ effort: z.string().nullish(), format: jsonFormat.nullish() }).nullish(),
  /** Where betas of 2025 had the format. */
  output_format: jsonFormat.nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
  mcp_servers: z.array(z.unknown()).nullish(),
  container: z.unknown().optional(),
});
export type MessagesRequest = z.infer<typeof requestSchema>;

/** @param at where the value stands in the body, for the error: `messages.0.content.1` */
export function readAs<T>(schema: z.ZodType<T>, value: unknown, at: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = [at, ...(issue?.path ?? [])].filter((step) => step !== "").join(".");
  throw new RelayError("invalid_request", `${field}: ${issue?.message ?? "Input should be valid"}`);
}

export const cacheMark = (control: z.infer<typeof cacheControl>): CacheMark => {
  if (control === null || control === undefined) return null;
  return control.ttl === "1h" ? "1h" : "5m";
};
