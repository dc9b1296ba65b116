/** What an upstream got of a conversation, read out of the call's body in each dialect. */
import { z } from "zod";
import type { ProtocolId } from "../../../worker/domain/protocol-id.ts";

export interface Seen {
  readonly calls: readonly { readonly id: string; readonly input: unknown }[];
  /** `text` as JSON, whatever holds it. */
  readonly results: readonly { readonly id: string; readonly text: string }[];
  /** In base64. */
  readonly pictures: readonly string[];
  /** What Gemini needs to have back with its calls. */
  readonly signatures: readonly string[];
}

const callPart = z.object({ type: z.literal("tool_use"), id: z.string(), input: z.unknown() });
const resultPart = z.object({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.unknown(),
});
const picturePart = z.object({
  type: z.literal("image"),
  source: z.object({ media_type: z.literal("image/png"), data: z.string() }),
});
const messages = z.object({
  messages: z.array(z.object({ content: z.union([z.string(), z.array(z.unknown())]).nullish() })),
});

/** Those of a list that have a form. */
const all = <Value>(schema: z.ZodType<Value>, values: readonly unknown[]): readonly Value[] =>
  values.flatMap((value) => {
    const read = schema.safeParse(value);
    return read.success ? [read.data] : [];
  });

const partsIn = (body: unknown): readonly unknown[] =>
  messages
    .parse(body)
    .messages.flatMap(({ content }) => (typeof content === "string" ? [] : (content ?? [])));

const PNG_URL = "data:image/png;base64,";
const pngUrl = z
  .string()
  .startsWith(PNG_URL)
  .transform((url) => url.slice(PNG_URL.length));
const parsedJson = z.string().transform((json): unknown => JSON.parse(json));

function inMessages(body: unknown): Seen {
  const parts = partsIn(body);
  return {
    calls: all(callPart, parts),
    results: all(resultPart, parts).map(({ tool_use_id: id, content }) => ({
      id,
      text: JSON.stringify(content),
    })),
    pictures: all(picturePart, parts).map(({ source }) => source.data),
    signatures: [],
  };
}

const chatCalls = z.object({
  tool_calls: z.array(z.object({ id: z.string(), function: z.object({ arguments: parsedJson }) })),
});
const chatResult = z.object({ role: z.literal("tool"), tool_call_id: z.string(), content: z.unknown() });
const chatPicture = z.object({ type: z.literal("image_url"), image_url: z.object({ url: pngUrl }) });

function inChat(body: unknown): Seen {
  const said = z.object({ messages: z.array(z.unknown()) }).parse(body).messages;
  return {
    calls: all(chatCalls, said).flatMap(({ tool_calls }) =>
      tool_calls.map(({ id, function: called }) => ({ id, input: called.arguments })),
    ),
    results: all(chatResult, said).map(({ tool_call_id: id, content }) => ({
      id,
      text: JSON.stringify(content),
    })),
    pictures: all(chatPicture, partsIn(body)).map(({ image_url }) => image_url.url),
    signatures: [],
  };
}

const items = z.object({ input: z.array(z.unknown()) });
const callItem = z.object({ type: z.literal("function_call"), call_id: z.string(), arguments: parsedJson });
const outputItem = z.object({
  type: z.literal("function_call_output"),
  call_id: z.string(),
  output: z.unknown(),
});
const messageItem = z.object({ role: z.string(), content: z.array(z.unknown()) });
const itemPicture = z.object({ type: z.literal("input_image"), image_url: pngUrl });

function inResponses(body: unknown): Seen {
  const { input } = items.parse(body);
  return {
    calls: all(callItem, input).map((item) => ({ id: item.call_id, input: item.arguments })),
    results: all(outputItem, input).map(({ call_id: id, output }) => ({ id, text: JSON.stringify(output) })),
    pictures: all(
      itemPicture,
      all(messageItem, input).flatMap(({ content }) => content),
    ).map((part) => part.image_url),
    signatures: [],
  };
}

const contents = z.object({ contents: z.array(z.object({ parts: z.array(z.unknown()) })) });
const functionCall = z.object({
  functionCall: z.object({ id: z.string(), args: z.unknown() }),
  thoughtSignature: z.string().optional(),
});
const functionResponse = z.object({
  functionResponse: z.object({ id: z.string(), response: z.unknown() }),
});
const inlineData = z.object({ inlineData: z.object({ mimeType: z.literal("image/png"), data: z.string() }) });

function inContents(body: unknown): Seen {
  const parts = contents.parse(body).contents.flatMap((content) => content.parts);
  const calls = all(functionCall, parts);
  return {
    calls: calls.map(({ functionCall: { id, args } }) => ({ id, input: args })),
    results: all(functionResponse, parts).map(({ functionResponse: { id, response } }) => ({
      id,
      text: JSON.stringify(response),
    })),
    pictures: all(inlineData, parts).map((part) => part.inlineData.data),
    signatures: calls.flatMap(({ thoughtSignature }) => thoughtSignature ?? []),
  };
}

export const SEEN: Readonly<Record<ProtocolId, (body: unknown) => Seen>> = {
  anthropic: inMessages,
  "openai-chat": inChat,
  "openai-responses": inResponses,
  gemini: inContents,
};
