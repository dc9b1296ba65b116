/** An answer as a client of this dialect is told it, streamed or whole. Pure. */
import type {
  AnswerEvent,
  AnswerFacts,
  AnswerUsage,
  Bound,
  FinishReason,
  JsonObject,
} from "../../neutral.ts";
import { boundText } from "../../neutral.ts";
import type { ClientCall } from "../../protocol.ts";
import { running, type AnswerEncoder, type Step } from "../../translate.ts";
import { FORMS, openItem } from "./answer-forms.ts";
import type { OpenItem, WireEvent } from "./answer-item.ts";
import { callSignatureText } from "./call-signature.ts";
import { toolBookOf, type ToolBook } from "./client-tools.ts";

interface DoneItem {
  /** `output_index`. */
  readonly at: number;
  readonly item: JsonObject;
}

interface State {
  readonly begun: boolean;
  /** `output_index` of the next item. */
  readonly next: number;
  readonly open: ReadonlyMap<number, OpenItem>;
  readonly done: readonly DoneItem[];
  readonly saidRefusal: boolean;
  readonly usage: AnswerUsage | null;
  readonly reason: FinishReason;
  /** The last word: a complete answer is nothing else. */
  readonly response: JsonObject | null;
}

const START: State = {
  begun: false,
  next: 0,
  open: new Map(),
  done: [],
  saidRefusal: false,
  usage: null,
  reason: "stop",
  response: null,
};

interface Scene {
  readonly facts: AnswerFacts;
  readonly book: ToolBook;
}

type Told = Step<State, WireEvent>;

function step(scene: Scene, state: State, event: AnswerEvent): Told {
  const [begun, first] = begin(scene, state);
  const [next, out] = tell(scene, begun, event);
  return [next, first.length === 0 ? out : [...first, ...out]];
}

function begin({ facts }: Scene, state: State): Told {
  if (state.begun) return [state, []];
  const response = responseOf(facts, state, { status: "in_progress" });
  return [
    { ...state, begun: true },
    [
      { type: "response.created", response },
      { type: "response.in_progress", response },
    ],
  ];
}

function tell(scene: Scene, state: State, event: AnswerEvent): Told {
  switch (event.kind) {
    case "start":
      return [state, []];
    case "open":
      return openPart(scene, state, event);
    case "delta":
      return tellMore(state, event.index, event.text);
    case "signature":
      return sign(scene, state, event.index, event.signature);
    case "close":
      return closePart(state, event.index);
    case "media":
      return tellPicture(scene, state, event);
    case "usage":
      return [{ ...state, usage: event.usage }, []];
    case "finish":
      return [{ ...state, reason: event.reason }, []];
    case "end":
      return end(scene, state);
    case "error":
      return fail(scene, state, event);
  }
}

function openPart({ facts, book }: Scene, state: State, event: Extract<AnswerEvent, { kind: "open" }>): Told {
  const item = openItem(event.part, state.next, { id: facts.id, find: (name) => book.find(name) });
  const form = FORMS[item.form];
  const [opened, out] = form.opened(item);
  const added = addedEvent(item.at, form.item(item, "in_progress"));
  const open = new Map(state.open).set(event.index, opened);
  const saidRefusal = state.saidRefusal || item.form === "refusal";
  return [{ ...state, open, next: state.next + 1, saidRefusal }, [added, ...out]];
}

function tellMore(state: State, index: number, text: string): Told {
  const item = state.open.get(index);
  if (item === undefined) return [state, []];
  const [told, out] = FORMS[item.form].told(item, text);
  return [{ ...state, open: new Map(state.open).set(index, told) }, out];
}

/** What signs thinking goes with it; what signs a call is an item of its own, which comes back with the others. */
function sign({ facts }: Scene, state: State, index: number, signature: Bound): Told {
  const item = state.open.get(index);
  if (item?.form === "thinking") {
    const encrypted = boundText(signature, "openai-responses");
    return [{ ...state, open: new Map(state.open).set(index, { ...item, encrypted }) }, []];
  }
  if (item === undefined || item.call === null) return [state, []];
  return wholeItem(state, {
    id: `rs_${facts.id}_${String(state.next)}`,
    type: "reasoning",
    summary: [],
    encrypted_content: callSignatureText(item.call.id, signature),
  });
}

function closePart(state: State, index: number): Told {
  const item = state.open.get(index);
  if (item === undefined) return [state, []];
  const form = FORMS[item.form];
  const [closed, out] = form.closed(item);
  const whole = form.item(closed, "completed");
  const open = new Map(state.open);
  open.delete(index);
  const done = [...state.done, { at: item.at, item: whole }];
  return [{ ...state, open, done }, [...out, doneEvent(item.at, whole)]];
}

function tellPicture({ facts }: Scene, state: State, event: Extract<AnswerEvent, { kind: "media" }>): Told {
  return wholeItem(state, {
    id: `ig_${facts.id}_${String(state.next)}`,
    type: "image_generation_call",
    status: "completed",
    output_format: event.mediaType.replace(/^image\//, ""),
    result: event.data,
  });
}

/** An item without pieces. */
function wholeItem(state: State, item: JsonObject): Told {
  const at = state.next;
  return [
    { ...state, next: at + 1, done: [...state.done, { at, item }] },
    [addedEvent(at, item), doneEvent(at, item)],
  ];
}

const addedEvent = (at: number, item: JsonObject): WireEvent => ({
  type: "response.output_item.added",
  output_index: at,
  item,
});
const doneEvent = (at: number, item: JsonObject): WireEvent => ({
  type: "response.output_item.done",
  output_index: at,
  item,
});

/** A refusal in the model's own words is a complete answer; one that a filter cut is not. */
function end({ facts }: Scene, state: State): Told {
  const isFiltered = state.reason === "refused" && !state.saidRefusal;
  const incomplete = state.reason === "length" ? "max_output_tokens" : isFiltered ? "content_filter" : null;
  const status = incomplete === null ? "completed" : "incomplete";
  const response = responseOf(facts, state, {
    status,
    incomplete_details: incomplete === null ? null : { reason: incomplete },
  });
  return [{ ...state, response }, [{ type: `response.${status}`, response }]];
}

function fail({ facts }: Scene, state: State, error: Extract<AnswerEvent, { kind: "error" }>): Told {
  const { type: code, message } = error;
  const response = responseOf(facts, state, { status: "failed", error: { code, message } });
  return [{ ...state, response }, [{ type: "response.failed", response }]];
}

/** What the API says of an answer; clients check that the fields are there, and not what the call had asked. */
const responseOf = (
  { id, model, now }: AnswerFacts,
  { done, usage }: State,
  more: JsonObject,
): JsonObject => ({
  id: `resp_${id}`,
  object: "response",
  created_at: Math.floor(now / 1000),
  background: false,
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  model,
  output: [...done].sort((a, b) => a.at - b.at).map(({ item }) => item),
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  store: false,
  temperature: null,
  text: { format: { type: "text" } },
  tool_choice: "auto",
  tools: [],
  top_p: null,
  truncation: "disabled",
  usage: usage === null ? null : usageOf(usage),
  ...more,
});

function usageOf({ input, cacheRead, cacheWrite, output, reasoning }: AnswerUsage): JsonObject {
  const prompt = input + cacheRead + cacheWrite;
  return {
    input_tokens: prompt,
    input_tokens_details: { cached_tokens: cacheRead, cache_write_tokens: cacheWrite },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: prompt + output,
  };
}

export function createEncoder(call: ClientCall, facts: AnswerFacts): AnswerEncoder {
  const scene: Scene = { facts, book: toolBookOf(call.body) };
  const encoder = () => running(START, (state: State, event: AnswerEvent) => step(scene, state, event));
  const stream = encoder();
  let sequence = 0;
  const frame = ({ type, ...fields }: WireEvent): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...fields })}\n\n`;
  return {
    streamType: "text/event-stream; charset=utf-8",
    encode: (event) => stream.push(event).map(frame).join(""),
    whole: (events) => {
      const answer = encoder();
      for (const event of events) answer.push(event);
      return JSON.stringify(
        answer.state.response ?? responseOf(facts, answer.state, { status: "completed" }),
      );
    },
  };
}
