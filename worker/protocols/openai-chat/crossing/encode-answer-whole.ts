/** Neutral events as one complete answer of Chat Completions. Pure. */
import type { AnswerEvent, AnswerUsage, Bound, FinishReason, OpenPart } from "../../neutral.ts";
import type { Json } from "../../../domain/json.ts";
import { finishReasonOf, usageOf } from "./answer-fields.ts";
import type { AnswerForm } from "./encode-answer.ts";
import { dataUrl } from "./media.ts";
import { detailFor, extraFor } from "./reasoning.ts";

interface Said {
  readonly part: OpenPart;
  text: string;
  signature: Bound | null;
}

interface Gathered {
  readonly said: Map<number, Said>;
  readonly images: Json[];
  usage: AnswerUsage | null;
  reason: FinishReason | null;
}

function gather(events: readonly AnswerEvent[]): Gathered {
  const all: Gathered = { said: new Map(), images: [], usage: null, reason: null };
  for (const event of events) add(all, event);
  return all;
}

function add(all: Gathered, event: AnswerEvent): void {
  switch (event.kind) {
    case "open":
      all.said.set(event.index, { part: event.part, text: "", signature: null });
      return;
    case "delta": {
      const said = all.said.get(event.index);
      if (said !== undefined) said.text += event.text;
      return;
    }
    case "signature": {
      const said = all.said.get(event.index);
      if (said !== undefined) said.signature = event.signature;
      return;
    }
    case "media":
      all.images.push({ type: "image_url", image_url: { url: dataUrl(event.mediaType, event.data) } });
      return;
    case "usage":
      all.usage = event.usage;
      return;
    case "finish":
      all.reason = event.reason;
      return;
    case "start":
    case "close":
    case "end":
    case "error":
      return;
  }
}

export function encodeWhole(events: readonly AnswerEvent[], form: AnswerForm): string {
  const { usage, reason, ...rest } = gather(events);
  const { id, created, model, isLegacy } = form;
  return JSON.stringify({
    id,
    object: "chat.completion",
    created,
    model,
    choices: [
      {
        index: 0,
        message: messageOf(rest, isLegacy),
        logprobs: null,
        finish_reason: reason === null ? null : finishReasonOf(reason, isLegacy),
      },
    ],
    ...(usage === null ? {} : { usage: usageOf(usage) }),
  });
}

function messageOf({ said, images }: Pick<Gathered, "said" | "images">, isLegacy: boolean): Json {
  const parts = [...said.values()];
  const textOf = (kind: OpenPart["kind"]) =>
    parts.flatMap(({ part, text }) => (part.kind === kind ? [text] : [])).join("");
  const [text, refusal, thinking] = [textOf("text"), textOf("refusal"), textOf("thinking")];
  const calls = callsIn(parts, isLegacy);
  const isSilent = text === "" && (refusal !== "" || images.length > 0 || Object.keys(calls).length > 0);
  return {
    role: "assistant",
    content: isSilent ? null : text,
    refusal: refusal === "" ? null : refusal,
    ...(thinking === "" ? {} : { reasoning_content: thinking }),
    ...detailsIn(parts),
    ...(images.length === 0 ? {} : { images }),
    ...calls,
  };
}

function detailsIn(parts: readonly Said[]): Json {
  const details: Json[] = [];
  for (const { part, text, signature } of parts) {
    if (part.kind !== "thinking") continue;
    const detail = detailFor({ text, signature, redacted: part.redacted }, details.length);
    if (detail !== null) details.push(detail);
  }
  return details.length === 0 ? {} : { reasoning_details: details };
}

/** The older form had one call, without an id. */
function callsIn(parts: readonly Said[], isLegacy: boolean): Json {
  const calls = parts.flatMap(({ part, text, signature }) =>
    part.kind === "tool_call"
      ? [{ id: part.id, name: part.name, text: text === "" ? "{}" : text, signature }]
      : [],
  );
  const [first] = calls;
  if (first === undefined) return {};
  if (isLegacy) return { function_call: { name: first.name, arguments: first.text } };
  return {
    tool_calls: calls.map(({ id, name, text, signature }) => ({
      id,
      type: "function",
      function: { name, arguments: text },
      ...(signature === null ? {} : { extra_content: extraFor(signature) }),
    })),
  };
}
