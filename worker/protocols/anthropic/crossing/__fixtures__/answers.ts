/** Answers as Anthropic gives them, each as a stream and whole. */

export interface GoldenAnswer {
  readonly name: string;
  readonly stream: string;
  /** Null: it only comes as a stream. */
  readonly whole: unknown;
}

const MODEL = "claude-sonnet-4-6";

const usage = (counts: Readonly<Record<string, number>>, rest: Readonly<Record<string, unknown>> = {}) => ({
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: 0,
  service_tier: "standard",
  ...counts,
  ...rest,
});

const event = (data: { readonly type: string; readonly [field: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

const message = (id: string, rest: Readonly<Record<string, unknown>>) => ({
  id,
  type: "message",
  role: "assistant",
  model: MODEL,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  stop_details: null,
  container: null,
  ...rest,
});

interface StreamedBlock {
  readonly start: Readonly<Record<string, unknown>>;
  readonly deltas: readonly Readonly<Record<string, unknown>>[];
}

const block = ({ start, deltas }: StreamedBlock, index: number): string =>
  [
    event({ type: "content_block_start", index, content_block: start }),
    ...deltas.map((delta) => event({ type: "content_block_delta", index, delta })),
    event({ type: "content_block_stop", index }),
  ].join("");

interface Told {
  readonly id: string;
  readonly blocks: readonly StreamedBlock[];
  readonly started: Readonly<Record<string, unknown>>;
  readonly delta: Readonly<Record<string, unknown>>;
  readonly final: Readonly<Record<string, unknown>>;
}

const streamOf = ({ id, blocks, started, delta, final }: Told): string =>
  [
    event({ type: "message_start", message: message(id, { usage: started }) }),
    event({ type: "ping" }),
    ...blocks.map(block),
    event({ type: "message_delta", delta: { stop_sequence: null, ...delta }, usage: final }),
    event({ type: "message_stop" }),
  ].join("");

const saying = (...pieces: string[]): StreamedBlock => ({
  start: { type: "text", text: "" },
  deltas: pieces.map((text) => ({ type: "text_delta", text })),
});

const calling = (id: string, name: string, ...pieces: string[]): StreamedBlock => ({
  start: { type: "tool_use", id, name, input: {} },
  deltas: ["", ...pieces].map((partial_json) => ({ type: "input_json_delta", partial_json })),
});

const TEXT: GoldenAnswer = {
  name: "text",
  stream: streamOf({
    id: "msg_01TextTextTextTextTextTe",
    blocks: [saying("Rome was founded", " in 753 BC", ", it is said – «ab urbe condita» 🏛.")],
    started: usage({
      input_tokens: 21,
      cache_read_input_tokens: 1800,
      cache_creation_input_tokens: 300,
      output_tokens: 2,
    }),
    delta: { stop_reason: "end_turn" },
    final: {
      input_tokens: 21,
      cache_read_input_tokens: 1800,
      cache_creation_input_tokens: 300,
      output_tokens: 24,
    },
  }),
  whole: message("msg_01TextTextTextTextTextTe", {
    content: [
      {
        type: "text",
        text: "Rome was founded in 753 BC, it is said – «ab urbe condita» 🏛.",
        citations: null,
      },
    ],
    stop_reason: "end_turn",
    usage: usage({
      input_tokens: 21,
      cache_read_input_tokens: 1800,
      cache_creation_input_tokens: 300,
      output_tokens: 24,
    }),
  }),
};

const SIGNATURE = "EqQBCgIYAhIkYjQ0ZmY4NTktZTA2Yi00NDE5LWFjZDktMjQ5OGE3Yw==";

const THINKING: GoldenAnswer = {
  name: "thinking",
  stream: streamOf({
    id: "msg_01ThinkThinkThinkThinkTh",
    blocks: [
      {
        start: { type: "thinking", thinking: "", signature: "" },
        deltas: [
          { type: "thinking_delta", thinking: "17 has no divisor" },
          { type: "thinking_delta", thinking: " up to 4." },
          { type: "signature_delta", signature: SIGNATURE },
        ],
      },
      { start: { type: "redacted_thinking", data: "EmwKAhgBEgy3va3pzix" }, deltas: [] },
      saying("Yes, 17 is", " prime."),
    ],
    started: usage({ input_tokens: 40, output_tokens: 1 }),
    delta: { stop_reason: "end_turn" },
    final: { input_tokens: 40, output_tokens: 95, output_tokens_details: { thinking_tokens: 80 } },
  }),
  whole: message("msg_01ThinkThinkThinkThinkTh", {
    content: [
      { type: "thinking", thinking: "17 has no divisor up to 4.", signature: SIGNATURE },
      { type: "redacted_thinking", data: "EmwKAhgBEgy3va3pzix" },
      { type: "text", text: "Yes, 17 is prime.", citations: null },
    ],
    stop_reason: "end_turn",
    usage: usage(
      { input_tokens: 40, output_tokens: 95 },
      { output_tokens_details: { thinking_tokens: 80 } },
    ),
  }),
};

const TOOL_CALLS: GoldenAnswer = {
  name: "tool_calls",
  stream: streamOf({
    id: "msg_01ToolsToolsToolsToolsTo",
    blocks: [
      saying("I look at ", "both."),
      calling("toolu_01A09q90qw90lq917835lq9", "get_weather", '{"city": "Pa', 'ris", "days": 2}'),
      calling("toolu_01BcdEfGhIjKlMnOpQrStUv", "get_time", '{"zone":', ' "Europe/Paris"}'),
    ],
    started: usage({ input_tokens: 410, output_tokens: 5 }),
    delta: { stop_reason: "tool_use" },
    final: { input_tokens: 410, output_tokens: 88 },
  }),
  whole: message("msg_01ToolsToolsToolsToolsTo", {
    content: [
      { type: "text", text: "I look at both.", citations: null },
      {
        type: "tool_use",
        id: "toolu_01A09q90qw90lq917835lq9",
        name: "get_weather",
        input: { city: "Paris", days: 2 },
        caller: { type: "direct" },
      },
      {
        type: "tool_use",
        id: "toolu_01BcdEfGhIjKlMnOpQrStUv",
        name: "get_time",
        input: { zone: "Europe/Paris" },
        caller: { type: "direct" },
      },
    ],
    stop_reason: "tool_use",
    usage: usage({ input_tokens: 410, output_tokens: 88 }),
  }),
};

const REFUSAL_DETAILS = {
  type: "refusal",
  category: "cyber",
  explanation: "This request could enable cyber harm.",
};

const REFUSAL: GoldenAnswer = {
  name: "refusal",
  stream: streamOf({
    id: "msg_01RefusalRefusalRefusalR",
    blocks: [saying("I will not ")],
    started: usage({ input_tokens: 15, output_tokens: 1 }),
    delta: { stop_reason: "refusal", stop_details: REFUSAL_DETAILS },
    final: { input_tokens: 15, output_tokens: 4 },
  }),
  whole: message("msg_01RefusalRefusalRefusalR", {
    content: [{ type: "text", text: "I will not ", citations: null }],
    stop_reason: "refusal",
    stop_details: REFUSAL_DETAILS,
    usage: usage({ input_tokens: 15, output_tokens: 4 }),
  }),
};

const LENGTH: GoldenAnswer = {
  name: "length",
  stream: streamOf({
    id: "msg_01LengthLengthLengthLeng",
    blocks: [saying("One, two, ", "thr")],
    started: usage({ input_tokens: 12, output_tokens: 1 }),
    delta: { stop_reason: "max_tokens" },
    final: { input_tokens: 12, output_tokens: 8 },
  }),
  whole: message("msg_01LengthLengthLengthLeng", {
    content: [{ type: "text", text: "One, two, thr", citations: null }],
    stop_reason: "max_tokens",
    usage: usage({ input_tokens: 12, output_tokens: 8 }),
  }),
};

const STOP_SEQUENCE: GoldenAnswer = {
  name: "stop_sequence",
  stream: streamOf({
    id: "msg_01StopSequenceStopSequen",
    blocks: [saying("Up to here")],
    started: usage({ input_tokens: 9, output_tokens: 1 }),
    delta: { stop_reason: "stop_sequence", stop_sequence: "END" },
    final: { input_tokens: 9, output_tokens: 5 },
  }),
  whole: message("msg_01StopSequenceStopSequen", {
    content: [{ type: "text", text: "Up to here", citations: null }],
    stop_reason: "stop_sequence",
    stop_sequence: "END",
    usage: usage({ input_tokens: 9, output_tokens: 5 }),
  }),
};

const ERROR: GoldenAnswer = {
  name: "error",
  stream: [
    event({
      type: "message_start",
      message: message("msg_01ErrorErrorErrorErrorEr", {
        usage: usage({ input_tokens: 12, output_tokens: 1 }),
      }),
    }),
    event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Well" } }),
    event({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
  ].join(""),
  whole: null,
};

export const GOLDEN_ANSWERS: readonly GoldenAnswer[] = [
  TEXT,
  THINKING,
  TOOL_CALLS,
  REFUSAL,
  LENGTH,
  STOP_SEQUENCE,
  ERROR,
];

export function golden(name: string): GoldenAnswer {
  const found = GOLDEN_ANSWERS.find((answer) => answer.name === name);
  if (found === undefined) throw new Error(`There is no golden answer ${name}.`);
  return found;
}
