/** Answers as OpenAI gives them, streamed and whole (platform.openai.com/docs/api-reference/responses-streaming). */

type Json = Readonly<Record<string, unknown>>;
type Event = { readonly type: string } & Json;

export interface GoldenAnswer {
  readonly name: string;
  readonly stream: string;
  readonly whole: unknown;
}

const RESPONSE = {
  id: "resp_0a1b2c3d",
  object: "response",
  created_at: 1_790_000_000,
  error: null,
  incomplete_details: null,
  instructions: null,
  model: "gpt-6-sol-2026-10-01",
  parallel_tool_calls: true,
  service_tier: "default",
  store: false,
  tools: [],
};

const usage = (output: number, reasoning = 0): Json => ({
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: reasoning },
  total_tokens: 100 + output,
});

const sse = (events: readonly Event[]): string =>
  events
    .map(({ type, ...fields }, index) => {
      const data = JSON.stringify({ type, sequence_number: index, ...fields });
      return `event: ${type}\ndata: ${data}\n\n`;
    })
    .join("");

/** An answer's events, with what every answer begins and ends with. */
function golden(name: string, events: readonly Event[], end: Json & { readonly status: string }): GoldenAnswer {
  const begun = { ...RESPONSE, status: "in_progress", output: [], usage: null };
  const whole = { ...RESPONSE, ...end };
  return {
    name,
    stream: sse([
      { type: "response.created", response: begun },
      { type: "response.in_progress", response: begun },
      ...events,
      { type: `response.${end.status}`, response: whole },
    ]),
    whole: end.status === "failed" ? null : whole,
  };
}

const added = (at: number, item: Json): Event => ({
  type: "response.output_item.added",
  output_index: at,
  item,
});
const done = (at: number, item: Json): Event => ({
  type: "response.output_item.done",
  output_index: at,
  item,
});

const contentItem = (id: string, part: Json, status = "completed"): Json => ({
  id,
  type: "message",
  status,
  role: "assistant",
  content: [part],
});

const outputText = (text: string): Json => ({ type: "output_text", text, annotations: [], logprobs: [] });

function message(at: number, pieces: readonly string[]): { readonly events: readonly Event[]; readonly item: Json } {
  const id = `msg_${String(at)}`;
  const place = { item_id: id, output_index: at, content_index: 0 };
  const text = pieces.join("");
  const item = contentItem(id, outputText(text));
  return {
    item,
    events: [
      added(at, { ...item, status: "in_progress", content: [] }),
      { type: "response.content_part.added", ...place, part: outputText("") },
      ...pieces.map((delta) => ({ type: "response.output_text.delta", ...place, delta, logprobs: [] })),
      { type: "response.output_text.done", ...place, text, logprobs: [] },
      { type: "response.content_part.done", ...place, part: outputText(text) },
      done(at, item),
    ],
  };
}

const hello = message(0, ["Hel", "lo, wörld 😀", "!"]);

const text = golden("text", hello.events, { status: "completed", output: [hello.item], usage: usage(7) });

const SUMMARIES = ["**Looking at it**\n\nThe sum is small.", "**Adding**\n\n1 and 1 make 2."];
const reasoningItem = {
  id: "rs_0",
  type: "reasoning",
  summary: SUMMARIES.map((summary) => ({ type: "summary_text", text: summary })),
  encrypted_content: "gAAAAABencrypted==",
};
const two = message(1, ["2"]);

const thinking = golden(
  "thinking",
  [
    added(0, { ...reasoningItem, summary: [], encrypted_content: "gAAAAABbegun==" }),
    ...SUMMARIES.flatMap((summary, index) => {
      const place = { item_id: "rs_0", output_index: 0, summary_index: index };
      return [
        {
          type: "response.reasoning_summary_part.added",
          ...place,
          part: { type: "summary_text", text: "" },
        },
        { type: "response.reasoning_summary_text.delta", ...place, delta: summary.slice(0, 9) },
        { type: "response.reasoning_summary_text.delta", ...place, delta: summary.slice(9) },
        { type: "response.reasoning_summary_text.done", ...place, text: summary },
        {
          type: "response.reasoning_summary_part.done",
          ...place,
          part: { type: "summary_text", text: summary },
        },
      ];
    }),
    done(0, reasoningItem),
    ...two.events,
  ],
  { status: "completed", output: [reasoningItem, two.item], usage: usage(42, 30) },
);

/** Models served by others think aloud. */
const rawReasoning = {
  id: "rs_0",
  type: "reasoning",
  summary: [],
  content: [{ type: "reasoning_text", text: "One and one." }],
};
const rawPlace = { item_id: "rs_0", output_index: 0, content_index: 0 };
const rawThinking = golden(
  "raw_thinking",
  [
    added(0, { ...rawReasoning, content: [] }),
    {
      type: "response.content_part.added",
      ...rawPlace,
      part: { type: "reasoning_text", text: "" },
    },
    { type: "response.reasoning_text.delta", ...rawPlace, delta: "One and" },
    { type: "response.reasoning_text.delta", ...rawPlace, delta: " one." },
    { type: "response.reasoning_text.done", ...rawPlace, text: "One and one." },
    { type: "response.content_part.done", ...rawPlace, part: { type: "reasoning_text", text: "One and one." } },
    done(0, rawReasoning),
    ...two.events,
  ],
  { status: "completed", output: [rawReasoning, two.item], usage: usage(42, 30) },
);

const encryptedOnly = { id: "rs_0", type: "reasoning", summary: [], encrypted_content: "gAAAAABonly==" };
const hiddenThinking = golden(
  "hidden_thinking",
  [added(0, encryptedOnly), done(0, encryptedOnly), ...two.events],
  { status: "completed", output: [encryptedOnly, two.item], usage: usage(20, 10) },
);

const call = (at: number, id: string, city: string): Json => ({
  id: `fc_${String(at)}`,
  type: "function_call",
  status: "completed",
  call_id: id,
  name: "get_weather",
  arguments: JSON.stringify({ city }),
});
const argumentsPart = (at: number, delta: string): Event => ({
  type: "response.function_call_arguments.delta",
  item_id: `fc_${String(at)}`,
  output_index: at,
  delta,
});
const argumentsDone = (at: number, whole: unknown): Event => ({
  type: "response.function_call_arguments.done",
  item_id: `fc_${String(at)}`,
  output_index: at,
  name: "get_weather",
  arguments: whole,
});
const looking = message(0, ["I'll look ", "both up."]);
const [paris, rome] = [call(1, "call_paris", "Paris"), call(2, "call_rome", "Rome")];
const begunCall = (item: Json): Json => ({ ...item, status: "in_progress", arguments: "" });

/** Two calls whose pieces come in turns. */
const toolCalls = golden(
  "tool_calls",
  [
    ...looking.events,
    added(1, begunCall(paris)),
    argumentsPart(1, '{"city"'),
    added(2, begunCall(rome)),
    argumentsPart(2, '{"ci'),
    argumentsPart(1, ':"Paris"}'),
    argumentsPart(2, 'ty":"Rome"}'),
    argumentsDone(1, paris.arguments),
    done(1, paris),
    argumentsDone(2, rome.arguments),
    done(2, rome),
  ],
  { status: "completed", output: [looking.item, paris, rome], usage: usage(55) },
);

const REFUSAL = "I can't help with that.";
const refusalPlace = { item_id: "msg_0", output_index: 0, content_index: 0 };
const refusalItem = contentItem("msg_0", { type: "refusal", refusal: REFUSAL });
const refusal = golden(
  "refusal",
  [
    added(0, { ...refusalItem, status: "in_progress", content: [] }),
    { type: "response.content_part.added", ...refusalPlace, part: { type: "refusal", refusal: "" } },
    { type: "response.refusal.delta", ...refusalPlace, delta: REFUSAL.slice(0, 8) },
    { type: "response.refusal.delta", ...refusalPlace, delta: REFUSAL.slice(8) },
    { type: "response.refusal.done", ...refusalPlace, refusal: REFUSAL },
    { type: "response.content_part.done", ...refusalPlace, part: { type: "refusal", refusal: REFUSAL } },
    done(0, refusalItem),
  ],
  { status: "completed", output: [refusalItem], usage: usage(9) },
);

const cut = message(0, ["Once upon"]);
const cutItem = { ...cut.item, status: "incomplete" };
const length = golden("length", [...cut.events.slice(0, -1), done(0, cutItem)], {
  status: "incomplete",
  incomplete_details: { reason: "max_output_tokens" },
  output: [cutItem],
  usage: usage(16),
});

const filtered = golden("filtered", [...cut.events.slice(0, -1), done(0, cutItem)], {
  status: "incomplete",
  incomplete_details: { reason: "content_filter" },
  output: [cutItem],
  usage: usage(4),
});

const pictureItem = {
  id: "ig_0",
  type: "image_generation_call",
  status: "completed",
  output_format: "png",
  result: "iVBORw0KGgo=",
};
const picture = golden(
  "picture",
  [
    added(0, { id: "ig_0", type: "image_generation_call", status: "in_progress", result: null }),
    { type: "response.image_generation_call.in_progress", item_id: "ig_0", output_index: 0 },
    {
      type: "response.image_generation_call.partial_image",
      item_id: "ig_0",
      output_index: 0,
      partial_image_index: 0,
      partial_image_b64: "iVBORw0=",
    },
    { type: "response.image_generation_call.completed", item_id: "ig_0", output_index: 0 },
    done(0, pictureItem),
  ],
  { status: "completed", output: [pictureItem], usage: usage(3) },
);

const error = golden("error", hello.events.slice(0, 3), {
  status: "failed",
  error: { code: "rate_limit_exceeded", message: "Rate limit reached. Please try again in 11.054s." },
  output: [],
  usage: null,
});

export const GOLDEN_ANSWERS: readonly GoldenAnswer[] = [
  text,
  thinking,
  rawThinking,
  hiddenThinking,
  toolCalls,
  refusal,
  length,
  filtered,
  picture,
  error,
];
