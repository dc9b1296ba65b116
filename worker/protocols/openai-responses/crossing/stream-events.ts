/** What each event of an upstream's stream tells of the parts of an answer. Pure. */
import { z } from "zod";
import type { Json } from "../../../domain/json.ts";
import type { ToolNames } from "../../tool-names.ts";
import {
  CALL,
  THINKING,
  beginCall,
  contentKind,
  finishItem,
  readItem,
  wholeContent,
} from "./answer-output.ts";
import { andThen, complete, open, tell, tellSection, type Saying, type Speaking } from "./answer-parts.ts";

const text = z.string().catch("");

/** Every field that any event has; what is missing or of another kind is empty. */
export interface StreamEvent {
  readonly type: string;
  readonly output_index: number | null;
  readonly content_index: number | null;
  readonly summary_index: number | null;
  readonly item_id: string;
  readonly delta: string;
  readonly text: string;
  readonly refusal: string;
  readonly arguments: string;
  readonly fields: Json;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const indexOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;

/** By hand, since there are thousands: a schema takes several times as long for each. */
export const readEvent = (fields: Json, name: string | null): StreamEvent => ({
  type: textOf(fields.type) || (name ?? ""),
  output_index: indexOf(fields.output_index),
  content_index: indexOf(fields.content_index),
  summary_index: indexOf(fields.summary_index),
  item_id: textOf(fields.item_id),
  delta: textOf(fields.delta),
  text: textOf(fields.text),
  refusal: textOf(fields.refusal),
  arguments: textOf(fields.arguments),
  fields,
});

const partSchema = z.object({ type: text, text, refusal: text }).nullable().catch(null);
const readPart = ({ fields }: StreamEvent) => partSchema.parse(fields.part);

export type Handler = (state: Speaking, event: StreamEvent, names: ToolNames) => Saying;

const placeOf = ({ output_index: index, item_id: id }: StreamEvent): string =>
  index === null ? `id:${id}` : String(index);
const contentKey = (event: StreamEvent): string => `${placeOf(event)}/${String(event.content_index ?? 0)}`;
const callKey = (event: StreamEvent): string => `${placeOf(event)}/${CALL}`;

/** More of a text or refusal, which opens with its first piece if it was not announced. */
const moreContent =
  (kind: "text" | "refusal"): Handler =>
  (state, event) =>
    andThen(open(state, contentKey(event), { kind }), (next) => tell(next, contentKey(event), event.delta));

const moreThinking =
  (source: "summary" | "text"): Handler =>
  (state, event) => {
    const key = `${placeOf(event)}/${THINKING}`;
    const section = (source === "summary" ? event.summary_index : event.content_index) ?? 0;
    return andThen(open(state, key, { kind: "thinking", redacted: false }), (next) =>
      tellSection(next, key, { source, section, text: event.delta }),
    );
  };

/** By the type of the event; every other tells nothing of the answer's parts. */
export const HANDLERS: Readonly<Record<string, Handler>> = {
  "response.output_item.added": (state, event, names) => {
    const item = readItem(event.fields.item);
    if (item?.type !== "function_call") return [state, []];
    return andThen(beginCall(state, placeOf(event), item, names), (next) =>
      tell(next, callKey(event), item.arguments),
    );
  },
  "response.content_part.added": (state, event) => {
    const kind = contentKind(readPart(event)?.type ?? "");
    return kind === null ? [state, []] : open(state, contentKey(event), kind);
  },
  "response.output_text.delta": moreContent("text"),
  "response.refusal.delta": moreContent("refusal"),
  "response.reasoning_summary_text.delta": moreThinking("summary"),
  "response.reasoning_text.delta": moreThinking("text"),
  "response.function_call_arguments.delta": (state, event) => tell(state, callKey(event), event.delta),
  "response.output_text.done": (state, event) =>
    wholeContent(state, contentKey(event), { type: "output_text", text: event.text, refusal: "" }),
  "response.refusal.done": (state, event) =>
    wholeContent(state, contentKey(event), { type: "refusal", text: "", refusal: event.refusal }),
  "response.content_part.done": (state, event) => {
    const part = readPart(event);
    return part === null ? [state, []] : wholeContent(state, contentKey(event), part);
  },
  "response.function_call_arguments.done": (state, event) => complete(state, callKey(event), event.arguments),
  "response.output_item.done": (state, event, names) => {
    const item = readItem(event.fields.item);
    return item === null ? [state, []] : finishItem(state, item, { place: placeOf(event), names });
  },
};
