/** How each part of an answer looks as an item of the output, and in the events that tell of it. Pure. */
import type { JsonObject, OpenPart } from "../neutral.ts";
import { TOOL_SEARCH, type ClientTool } from "./client-tools.ts";
import { INPUT_START, lastInput, readInput, type InputReading } from "./custom-input.ts";

/** An event without its number, which it gets when it is sent. */
export type WireEvent = { readonly type: string } & JsonObject;

/** An item that is being said. */
export interface OpenItem {
  readonly form: FormId;
  readonly id: string;
  /** `output_index`. */
  readonly at: number;
  /** All that was told of it, for the events and the answer that repeat it. */
  readonly text: string;
  /** Thinking: its one summary was announced. */
  readonly hasSummary: boolean;
  /** As the client gives it back: `encrypted_content`. */
  readonly encrypted: string | null;
  readonly call: { readonly id: string; readonly tool: ClientTool } | null;
  readonly input: InputReading;
}

export type FormId = "text" | "refusal" | "thinking" | ClientTool["kind"];
type Status = "in_progress" | "completed";
type Told = readonly [OpenItem, readonly WireEvent[]];

interface Form {
  readonly idPrefix: string;
  item(item: OpenItem, status: Status): JsonObject;
  /** After `output_item.added`. */
  opened(item: OpenItem): Told;
  told(item: OpenItem, text: string): Told;
  /** Before `output_item.done`. */
  closed(item: OpenItem): Told;
}

const placeOf = ({ id, at }: OpenItem) => ({ item_id: id, output_index: at });
const withText = (item: OpenItem, text: string): OpenItem => ({ ...item, text: item.text + text });

const TEXT_BEGUN = { type: "output_text", text: "", annotations: [], logprobs: [] };

/** A message has one part: text, or a refusal. */
const message = (item: OpenItem, status: Status, content: readonly JsonObject[]): JsonObject => ({
  id: item.id,
  type: "message",
  status,
  role: "assistant",
  content: status === "completed" ? content : [],
});

const text: Form = {
  idPrefix: "msg",
  item: (item, status) => message(item, status, [{ ...TEXT_BEGUN, text: item.text }]),
  opened: (item) => [
    item,
    [{ type: "response.content_part.added", ...placeOf(item), content_index: 0, part: TEXT_BEGUN }],
  ],
  told: (item, delta) => [
    withText(item, delta),
    [{ type: "response.output_text.delta", ...placeOf(item), content_index: 0, delta, logprobs: [] }],
  ],
  closed: (item) => {
    const place = { ...placeOf(item), content_index: 0 };
    const part = { ...TEXT_BEGUN, text: item.text };
    return [
      item,
      [
        { type: "response.output_text.done", ...place, text: item.text, logprobs: [] },
        { type: "response.content_part.done", ...place, part },
      ],
    ];
  },
};

const refusal: Form = {
  idPrefix: "msg",
  item: (item, status) => message(item, status, [{ type: "refusal", refusal: item.text }]),
  opened: (item) => [
    item,
    [
      {
        type: "response.content_part.added",
        ...placeOf(item),
        content_index: 0,
        part: { type: "refusal", refusal: "" },
      },
    ],
  ],
  told: (item, delta) => [
    withText(item, delta),
    [{ type: "response.refusal.delta", ...placeOf(item), content_index: 0, delta }],
  ],
  closed: (item) => {
    const place = { ...placeOf(item), content_index: 0 };
    return [
      item,
      [
        { type: "response.refusal.done", ...place, refusal: item.text },
        { type: "response.content_part.done", ...place, part: { type: "refusal", refusal: item.text } },
      ],
    ];
  },
};

const summaryPart = (summary: string): JsonObject => ({ type: "summary_text", text: summary });

/** The whole of it is one summary, so that what was signed comes back letter for letter. */
const thinking: Form = {
  idPrefix: "rs",
  item: (item, status) => ({
    id: item.id,
    type: "reasoning",
    summary: status === "completed" && item.hasSummary ? [summaryPart(item.text)] : [],
    ...(item.encrypted === null ? {} : { encrypted_content: item.encrypted }),
  }),
  opened: (item) => [item, item.hasSummary ? [summaryAdded(item)] : []],
  told: (item, delta) => [
    { ...withText(item, delta), hasSummary: true },
    [
      ...(item.hasSummary ? [] : [summaryAdded(item)]),
      { type: "response.reasoning_summary_text.delta", ...placeOf(item), summary_index: 0, delta },
    ],
  ],
  closed: (item) => {
    if (!item.hasSummary) return [item, []];
    const place = { ...placeOf(item), summary_index: 0 };
    return [
      item,
      [
        { type: "response.reasoning_summary_text.done", ...place, text: item.text },
        { type: "response.reasoning_summary_part.done", ...place, part: summaryPart(item.text) },
      ],
    ];
  },
};

const summaryAdded = (item: OpenItem): WireEvent => ({
  type: "response.reasoning_summary_part.added",
  ...placeOf(item),
  summary_index: 0,
  part: summaryPart(""),
});

function callFields({ id, call }: OpenItem, status: Status): JsonObject {
  const { namespace = null, name = "" } = call?.tool ?? {};
  return { id, status, call_id: call?.id ?? id, name, ...(namespace === null ? {} : { namespace }) };
}

const argumentsDelta = (item: OpenItem, delta: string): WireEvent => ({
  type: "response.function_call_arguments.delta",
  ...placeOf(item),
  delta,
});

const functionCall: Form = {
  idPrefix: "fc",
  item: (item, status) => ({
    type: "function_call",
    ...callFields(item, status),
    arguments: status === "completed" ? item.text : "",
  }),
  opened: (item) => [item, []],
  told: (item, delta) => [withText(item, delta), [argumentsDelta(item, delta)]],
  closed: (item) => {
    const whole = item.text === "" ? withText(item, "{}") : item;
    return [
      whole,
      [
        ...(whole === item ? [] : [argumentsDelta(item, whole.text)]),
        {
          type: "response.function_call_arguments.done",
          ...placeOf(item),
          name: item.call?.tool.name ?? "",
          arguments: whole.text,
        },
      ],
    ];
  },
};

const inputDelta = (item: OpenItem, delta: string): readonly WireEvent[] =>
  delta === "" ? [] : [{ type: "response.custom_tool_call_input.delta", ...placeOf(item), delta }];

const customCall: Form = {
  idPrefix: "ctc",
  item: (item, status) => ({
    type: "custom_tool_call",
    ...callFields(item, status),
    input: status === "completed" ? item.text : "",
  }),
  opened: (item) => [item, []],
  told: (item, delta) => {
    const [input, plain] = readInput(item.input, delta);
    return [{ ...withText(item, plain), input }, inputDelta(item, plain)];
  },
  closed: (item) => {
    const rest = lastInput(item.input);
    const whole = withText(item, rest);
    return [
      whole,
      [
        ...inputDelta(item, rest),
        { type: "response.custom_tool_call_input.done", ...placeOf(item), input: whole.text },
      ],
    ];
  },
};

/** Clients are told of such a call when it is whole. */
const searchCall: Form = {
  idPrefix: "tsc",
  item: (item, status) => ({
    type: "tool_search_call",
    id: item.id,
    call_id: item.call?.id ?? item.id,
    execution: "client",
    status,
    arguments: status === "completed" ? argumentsObject(item.text) : {},
  }),
  opened: (item) => [item, []],
  told: (item, delta) => [withText(item, delta), []],
  closed: (item) => [item, []],
};

function argumentsObject(json: string): unknown {
  try {
    return JSON.parse(json === "" ? "{}" : json);
  } catch {
    return {};
  }
}

export const FORMS: Readonly<Record<FormId, Form>> = {
  text,
  refusal,
  thinking,
  function: functionCall,
  custom: customCall,
  [TOOL_SEARCH]: searchCall,
};

/** @param id of the answer */
export function openItem(
  part: OpenPart,
  at: number,
  { id, find }: { readonly id: string; readonly find: (flatName: string) => ClientTool },
): OpenItem {
  const tool = part.kind === "tool_call" ? find(part.name) : null;
  const form = part.kind === "tool_call" ? (tool?.kind ?? "function") : part.kind;
  return {
    form,
    id: `${FORMS[form].idPrefix}_${id}_${String(at)}`,
    at,
    text: "",
    hasSummary: part.kind === "thinking" && !part.redacted,
    encrypted: null,
    call: part.kind === "tool_call" && tool !== null ? { id: part.id, tool } : null,
    input: INPUT_START,
  };
}
