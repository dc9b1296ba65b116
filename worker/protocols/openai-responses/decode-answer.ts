/** An upstream's answer in the neutral form, streamed or whole. Pure. */
import { z } from "zod";
import type { AnswerEvent, AnswerUsage, FinishReason } from "../neutral.ts";
import { EMPTY_READING } from "../../domain/usage.ts";
import { isObject, withUsage, type Json } from "../openai/usage.ts";
import type { ToolNames } from "../tool-names.ts";
import { running, type AnswerDecoder, type Step, type StreamMessage } from "../translate.ts";
import {
  CALL,
  THINKING,
  beginCall,
  contentKind,
  finishItem,
  readItem,
  wholeContent,
  type ItemScene,
} from "./answer-output.ts";
import {
  SILENT,
  complete,
  forget,
  open,
  tell,
  tellSection,
  andThen,
  type Saying,
  type Speaking,
} from "./answer-parts.ts";

const text = z.string().catch("");
const errorSchema = z.object({ code: text, type: text, message: text }).nullable().catch(null);

const responseSchema = z.object({
  id: z.string().nullable().catch(null),
  model: z.string().nullable().catch(null),
  status: text,
  error: errorSchema,
  incomplete_details: z.object({ reason: text }).nullable().catch(null),
  output: z.array(z.unknown()).catch([]),
  usage: z.unknown().optional(),
});

type Response = z.output<typeof responseSchema>;

/** Every field that any event has; what is missing or of another kind is empty. */
interface Event {
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
const readEvent = (fields: Json, name: string | null): Event => ({
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
const readPart = ({ fields }: Event) => partSchema.parse(fields.part);

interface State {
  readonly started: boolean;
  readonly over: boolean;
  readonly speaking: Speaking;
}

const START: State = { started: false, over: false, speaking: SILENT };

type Handler = (state: Speaking, event: Event, names: ToolNames) => Saying;

const placeOf = ({ output_index: index, item_id: id }: Event): string =>
  index === null ? `id:${id}` : String(index);
const contentKey = (event: Event): string => `${placeOf(event)}/${String(event.content_index ?? 0)}`;
const callKey = (event: Event): string => `${placeOf(event)}/${CALL}`;

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

const HANDLERS: Readonly<Record<string, Handler>> = {
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

const BEGINNINGS = new Set(["response.created", "response.queued", "response.in_progress"]);
const ENDINGS = new Set(["response.completed", "response.incomplete", "response.failed"]);

const readResponse = (value: unknown): Response | null => responseSchema.safeParse(value).data ?? null;

function step(names: ToolNames, state: State, { name, data }: StreamMessage): Step<State, AnswerEvent> {
  if (!isObject(data) || state.over) return [state, []];
  const event = readEvent(data, name);
  const { type } = event;
  if (BEGINNINGS.has(type)) return begin(state, readResponse(data.response));
  const [begun, first] = begin(state, null);
  if (type === "error") return [{ ...begun, over: true }, [...first, errorEvent(errorIn(data))]];
  if (ENDINGS.has(type)) {
    const [speaking, out] = ending(begun.speaking, readResponse(data.response), type, names);
    return [{ ...begun, speaking, over: true }, [...first, ...out]];
  }
  const handler = Object.hasOwn(HANDLERS, type) ? HANDLERS[type] : undefined;
  if (handler === undefined) return [state, []];
  const [speaking, out] = handler(state.speaking, event, names);
  return out.length === 0 ? [{ ...state, speaking }, []] : [{ ...begun, speaking }, [...first, ...out]];
}

function begin(state: State, response: Response | null): Step<State, AnswerEvent> {
  if (state.started) return [state, []];
  const start = { kind: "start", id: response?.id ?? null, model: response?.model ?? null } as const;
  return [{ ...state, started: true }, [start]];
}

/** The public API has code and message in the event itself, the ChatGPT backend in an object of their own. */
const errorIn = (data: Json): z.output<typeof errorSchema> =>
  isObject(data.error) ? errorSchema.parse(data.error) : errorSchema.parse({ ...data, type: "" });

const errorEvent = (error: z.output<typeof errorSchema>): AnswerEvent => ({
  kind: "error",
  type: error?.code || error?.type || "server_error",
  message: error?.message || "The upstream reported an error without a message.",
});

function ending(state: Speaking, response: Response | null, type: string, names: ToolNames): Saying {
  const output = state.saidAny ? [] : (response?.output ?? []);
  return andThen(
    andThen(tellOutput(state, output, names), (next) => forget(next, null)),
    (next) => {
      const usage = usageOf(response?.usage);
      const known = usage === null ? [] : [{ kind: "usage", usage } as const];
      if (type === "response.failed") {
        return [next, [...known, errorEvent(response?.error ?? null)]];
      }
      const reason = finishReason(next, response, type === "response.incomplete");
      return [next, [...known, { kind: "finish", reason, stopSequence: null }, { kind: "end" }]];
    },
  );
}

const tellOutput = (state: Speaking, output: readonly unknown[], names: ToolNames): Saying =>
  output.reduce<Saying>(
    (said, value, index) => {
      const item = readItem(value);
      const scene: ItemScene = { place: String(index), names };
      return item === null ? said : andThen(said, (next) => finishItem(next, item, scene));
    },
    [state, []],
  );

function finishReason(state: Speaking, response: Response | null, isIncomplete: boolean): FinishReason {
  if (isIncomplete) {
    return response?.incomplete_details?.reason === "content_filter" ? "refused" : "length";
  }
  if (state.saidCall) return "tool_calls";
  return state.saidRefusal ? "refused" : "stop";
}

const reasoningTokens = z.object({
  output_tokens_details: z.object({ reasoning_tokens: z.number().int().nonnegative() }),
});

function usageOf(usage: unknown): AnswerUsage | null {
  const { reported, tokens } = withUsage(EMPTY_READING, usage);
  if (!reported) return null;
  const reasoning = reasoningTokens.safeParse(usage).data?.output_tokens_details.reasoning_tokens ?? 0;
  return {
    input: tokens.input,
    cacheRead: tokens.cacheRead,
    cacheWrite: tokens.cacheWrite5m,
    output: tokens.output,
    reasoning: Math.min(reasoning, tokens.output),
  };
}

export function createDecoder(names: ToolNames): AnswerDecoder {
  const decoder = running(START, (state: State, message: StreamMessage) => step(names, state, message));
  return {
    decode: (message) => decoder.push(message),
    // A stream without its last event was cut.
    end: () => [],
    whole: (body) => wholeAnswer(body, names),
  };
}

const WHOLE_ENDINGS: Readonly<Record<string, string>> = {
  incomplete: "response.incomplete",
  failed: "response.failed",
};

function wholeAnswer(body: unknown, names: ToolNames): readonly AnswerEvent[] {
  const response = readResponse(body);
  const type =
    response?.error === null || response === null
      ? (WHOLE_ENDINGS[response?.status ?? ""] ?? "")
      : "response.failed";
  const [, first] = begin(START, response);
  const [, out] = ending(SILENT, response, type, names);
  return [...first, ...out];
}
