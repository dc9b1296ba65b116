/** A call in the neutral form as a Messages request. Pure. */
import type { NeutralRequest } from "../../neutral.ts";
import { notCarried, type EncodedRequest } from "../../translate.ts";
import { withCacheMarks } from "./cache-marks.ts";
import { createDecoder } from "./decode-answer.ts";
import type { EncodeContext } from "./encode-blocks.ts";
import { askedFormat } from "./encode-format.ts";
import { promptOf } from "./encode-messages.ts";
import { samplingFields, thinkingFields } from "./encode-reasoning.ts";
import { choiceField, namesOf, toolBlocks } from "./encode-tools.ts";
import { traitsOf } from "./model-traits.ts";

export function encodeRequest(request: NeutralRequest): EncodedRequest {
  const omitted = new Set<string>();
  const names = namesOf(request);
  const body = bodyOf(request, { names, omit: (what) => void omitted.add(what) });
  return {
    path: "/v1/messages",
    query: "",
    body,
    omitted: [...omitted],
    createDecoder: (facts) => createDecoder(facts, names.toClient),
  };
}

function bodyOf(request: NeutralRequest, context: EncodeContext): Readonly<Record<string, unknown>> {
  const { names, omit } = context;
  const traits = traitsOf(request.model);
  const asked = askedFormat(request.format, traits);
  const prompt = promptOf(request.turns, context);
  const instruction = asked.instruction === null ? [] : [{ type: "text", text: asked.instruction }];
  const { system, messages, tools } = withCacheMarks({
    ...prompt,
    system: [...prompt.system, ...instruction],
    tools: toolBlocks(request, context),
  });
  const thinking = thinkingFields(request, messages, traits, omit);
  omitUnknown(request, omit);
  return {
    model: request.model,
    ...thinking.fields,
    ...(system.length === 0 ? {} : { system }),
    messages,
    ...(tools.length === 0 ? {} : { tools }),
    ...choiceField(request, tools, traits, names),
    ...samplingFields(request, traits, thinking.isThinking, omit),
    ...outputConfig(thinking.effort, asked.format),
    ...stopField(request.stop),
    ...metadataField(request.user, omit),
    ...(request.stream ? { stream: true } : {}),
  };
}

function omitUnknown(request: NeutralRequest, omit: EncodeContext["omit"]): void {
  if (request.seed !== null) omit("seed");
  if (request.presencePenalty !== null) omit("presence_penalty");
  if (request.frequencyPenalty !== null) omit("frequency_penalty");
}

function outputConfig(effort: string | null, format: unknown): Readonly<Record<string, unknown>> {
  if (effort === null && format === null) return {};
  return {
    output_config: { ...(effort === null ? {} : { effort }), ...(format === null ? {} : { format }) },
  };
}

/** Anthropic does not stop at white space, and an answer that runs on is another one. */
function stopField(stop: readonly string[]): Readonly<Record<string, unknown>> {
  const words = stop.filter((text) => text !== "");
  if (words.some((text) => text.trim() === "")) throw notCarried("stop at white space");
  return words.length === 0 ? {} : { stop_sequences: words };
}

const USER_ID_LENGTH_MAX = 256;

function metadataField(user: string | null, omit: EncodeContext["omit"]): Readonly<Record<string, unknown>> {
  if (user === null || user === "") return {};
  if (user.length > USER_ID_LENGTH_MAX) {
    omit("user");
    return {};
  }
  return { metadata: { user_id: user } };
}
