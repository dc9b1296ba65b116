/** The body of a Chat Completions call as far as it has a meaning elsewhere; unknown fields are passed over. Pure. */
import { z } from "zod";
import { RelayError } from "../../../domain/errors.ts";
import { EFFORTS } from "../../neutral.ts";

/** Anthropic's mark, which clients of OpenAI-like gateways put on parts and tools. */
const cacheSchema = z.looseObject({ ttl: z.string().nullish() }).nullish();

const partSchema = z.looseObject({
  type: z.string(),
  text: z.string().nullish(),
  refusal: z.string().nullish(),
  image_url: z
    .union([z.string(), z.looseObject({ url: z.string(), detail: z.string().nullish() })])
    .nullish(),
  input_audio: z.looseObject({ data: z.string(), format: z.string() }).nullish(),
  file: z
    .looseObject({
      file_data: z.string().nullish(),
      filename: z.string().nullish(),
      file_id: z.string().nullish(),
    })
    .nullish(),
  cache_control: cacheSchema,
});

const callSchema = z.looseObject({
  id: z.string(),
  type: z.string().nullish(),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string() }).nullish(),
  extra_content: z.unknown().optional(),
});

const messageSchema = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: z.union([z.string(), z.array(partSchema)]).nullish(),
  name: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  reasoning_details: z.unknown().optional(),
  images: z.array(partSchema).nullish(),
  audio: z.unknown().optional(),
  tool_calls: z.array(callSchema).nullish(),
  tool_call_id: z.string().nullish(),
  function_call: z.looseObject({ name: z.string().min(1), arguments: z.string() }).nullish(),
});

const functionSchema = z.looseObject({
  name: z.string().min(1),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

const toolSchema = z.looseObject({
  type: z.string(),
  function: functionSchema.nullish(),
  cache_control: cacheSchema,
});

const namedSchema = z.looseObject({ name: z.string().min(1) });
const choiceToolSchema = z.looseObject({ type: z.string(), function: namedSchema.nullish() });

const toolChoiceSchema = z.union([
  z.enum(["auto", "none", "required"]),
  choiceToolSchema.extend({
    allowed_tools: z
      .looseObject({ mode: z.enum(["auto", "required"]), tools: z.array(choiceToolSchema) })
      .nullish(),
  }),
]);

const formatSchema = z.looseObject({
  type: z.enum(["text", "json_object", "json_schema"]),
  json_schema: z
    .looseObject({
      name: z.string().min(1),
      schema: z.record(z.string(), z.unknown()).nullish(),
      strict: z.boolean().nullish(),
    })
    .nullish(),
});

const effortSchema = z.enum(EFFORTS).nullish();
const tokensSchema = z.number().int().positive().nullish();

const requestSchema = z.looseObject({
  model: z.string().min(1),
  messages: z.array(messageSchema),
  stream: z.boolean().nullish(),
  tools: z.array(toolSchema).nullish(),
  tool_choice: toolChoiceSchema.nullish(),
  functions: z.array(functionSchema).nullish(),
  function_call: z.union([z.enum(["auto", "none"]), namedSchema]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  max_tokens: tokensSchema,
  max_completion_tokens: tokensSchema,
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.number().int().min(0).nullish(),
  seed: z.number().int().nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  reasoning_effort: effortSchema,
  reasoning: z
    .looseObject({
      effort: effortSchema,
      max_tokens: z.number().int().min(0).nullish(),
      exclude: z.boolean().nullish(),
      enabled: z.boolean().nullish(),
    })
    .nullish(),
  response_format: formatSchema.nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  n: z.number().int().nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().nullish(),
  logit_bias: z.record(z.string(), z.unknown()).nullish(),
  modalities: z.array(z.string()).nullish(),
});

export type ChatRequest = z.infer<typeof requestSchema>;
export type ChatMessage = z.infer<typeof messageSchema>;
export type ChatPart = z.infer<typeof partSchema>;
export type ChatCall = z.infer<typeof callSchema>;
export type ChatFunction = z.infer<typeof functionSchema>;
export type ChatTool = z.infer<typeof toolSchema>;
export type ChatToolChoice = z.infer<typeof toolChoiceSchema>;

export const invalid = (message: string): RelayError => new RelayError("invalid_request", message);

/** @throws RelayError `invalid_request` that names the first field which is not as it must be */
export function parseRequest(body: Uint8Array): ChatRequest {
  const parsed = requestSchema.safeParse(jsonOf(body));
  if (parsed.success) return parsed.data;
  const { path, message } = innermost(parsed.error.issues[0]);
  throw invalid(`Invalid value for '${nameOf(path)}': ${message}.`);
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw invalid("The request body is not valid JSON.");
  }
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Of a union, what is wrong with the form that was followed furthest. */
function innermost(issue: z.core.$ZodIssue | undefined): Fault {
  if (issue === undefined) return { path: [], message: "it is not a request" };
  if (issue.code !== "invalid_union") return { path: issue.path, message: issue.message };
  const inner = issue.errors
    .flatMap(([first]) => (first === undefined ? [] : [innermost(first)]))
    .sort((a, b) => b.path.length - a.path.length)[0];
  if (inner === undefined || inner.path.length === 0) return { path: issue.path, message: issue.message };
  return { path: [...issue.path, ...inner.path], message: inner.message };
}

const nameOf = (path: readonly PropertyKey[]): string =>
  path
    .map((step) => (typeof step === "number" ? `[${String(step)}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
