/** How each part of an answer looks as an item of the output, and in the events that tell of it. Pure. */
import type { JsonObject, OpenPart } from "../../neutral.ts";
import {
  placeOf,
  withText,
  type Form,
  type FormId,
  type OpenItem,
  type Status,
  type WireEvent,
} from "./answer-item.ts";
import { customCall, functionCall, searchCall } from "./call-forms.ts";
import { TOOL_SEARCH, type ClientTool } from "./client-tools.ts";
import { INPUT_START } from "./custom-input.ts";

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
