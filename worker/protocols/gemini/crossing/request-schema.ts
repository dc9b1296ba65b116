/** A generate request as Google's clients write it. What is not named here is left aside. Pure. */
import { z } from "zod";
import { RelayError } from "../../../domain/errors.ts";
import type { JsonObject } from "../../neutral.ts";
import { protoFields } from "./proto-fields.ts";
import { isObject } from "../usage.ts";

const message = <Shape extends z.ZodRawShape>(shape: Shape) => z.preprocess(protoFields, z.object(shape));

/** A list of one may be written as the thing itself. */
const listOf = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (Array.isArray(value) || value === undefined ? value : [value]), z.array(item));

const jsonObject = z.custom<JsonObject>(isObject, "must be an object");
/** Numbers of 64 bits may be written as text. */
const integer = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d{1,15}$/)
    .transform(Number),
]);
const present = z.unknown().optional();

const inlineData = message({ mimeType: z.string().min(1), data: z.string() });
const fileData = message({ mimeType: z.string().optional(), fileUri: z.string().min(1) });

const partSchema = message({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  thoughtSignature: z.string().optional(),
  inlineData: inlineData.optional(),
  fileData: fileData.optional(),
  functionCall: message({
    id: z.string().optional(),
    name: z.string().min(1),
    args: jsonObject.optional(),
  }).optional(),
  functionResponse: message({
    id: z.string().optional(),
    name: z.string().optional(),
    response: jsonObject.optional(),
    parts: listOf(message({ inlineData: inlineData.optional(), fileData: fileData.optional() })).optional(),
  }).optional(),
  executableCode: message({ language: z.string().optional(), code: z.string() }).optional(),
  codeExecutionResult: message({ output: z.string().optional() }).optional(),
  toolCall: present,
  toolResponse: present,
  videoMetadata: present,
});
export type RequestPart = z.output<typeof partSchema>;

const contentSchema = message({ role: z.string().optional(), parts: listOf(partSchema).optional() });
export type RequestContent = z.output<typeof contentSchema>;

const systemSchema = z.preprocess(
  (value) => (typeof value === "string" ? { parts: [{ text: value }] } : value),
  contentSchema,
);

const declarationSchema = message({
  name: z.string().min(1),
  description: z.string().optional(),
  parameters: jsonObject.optional(),
  parametersJsonSchema: jsonObject.optional(),
});
export type Declaration = z.output<typeof declarationSchema>;

/** Tools of Google's own stand beside the declarations, each under its name. */
const toolSchema = z.preprocess(
  protoFields,
  z.looseObject({ functionDeclarations: listOf(declarationSchema).optional() }),
);
export type RequestTool = z.output<typeof toolSchema>;

const toolConfigSchema = message({
  functionCallingConfig: message({
    mode: z.string().optional(),
    allowedFunctionNames: listOf(z.string()).optional(),
  }).optional(),
});

const generationConfigSchema = message({
  candidateCount: integer.optional(),
  stopSequences: listOf(z.string()).optional(),
  maxOutputTokens: integer.optional(),
  temperature: z.number().optional(),
  topP: z.number().optional(),
  topK: z.number().optional(),
  seed: integer.optional(),
  presencePenalty: z.number().optional(),
  frequencyPenalty: z.number().optional(),
  responseMimeType: z.string().optional(),
  responseSchema: jsonObject.optional(),
  responseJsonSchema: jsonObject.optional(),
  responseModalities: listOf(z.string()).optional(),
  responseLogprobs: z.boolean().optional(),
  speechConfig: present,
  imageConfig: present,
  mediaResolution: present,
  thinkingConfig: message({
    thinkingBudget: integer.optional(),
    thinkingLevel: z.string().optional(),
    includeThoughts: z.boolean().optional(),
  }).optional(),
});
export type GenerationConfig = z.output<typeof generationConfigSchema>;

const requestSchema = message({
  contents: listOf(contentSchema),
  systemInstruction: systemSchema.optional(),
  tools: listOf(toolSchema).optional(),
  toolConfig: toolConfigSchema.optional(),
  generationConfig: generationConfigSchema.optional(),
  cachedContent: z.string().optional(),
  safetySettings: present,
  labels: present,
});
export type GenerateRequest = z.output<typeof requestSchema>;

const decoder = new TextDecoder();

/** @throws RelayError `invalid_request` that names the first field that is malformed */
export function parseRequest(body: Uint8Array): GenerateRequest {
  const result = requestSchema.safeParse(parseJson(body));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RelayError(
    "invalid_request",
    `${pathOf(issue?.path ?? [])}: ${issue?.message ?? "is malformed"}`,
  );
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body)) as unknown;
  } catch (cause) {
    throw new RelayError("invalid_request", "The request body is not valid JSON.", { cause });
  }
}

/** `contents[2].parts[0].text` */
const pathOf = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? "body"
    : path
        .map((step) => (typeof step === "number" ? `[${String(step)}]` : `.${String(step)}`))
        .join("")
        .replace(/^\./, "");
