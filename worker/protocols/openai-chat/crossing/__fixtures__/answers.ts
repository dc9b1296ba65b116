/** Answers as upstreams of Chat Completions give them, each streamed and whole; both mean the same. */

export interface GoldenAnswer {
  readonly name: string;
  readonly stream: string;
  /** null: this comes in streams only. */
  readonly whole: unknown;
}

const ID = "chatcmpl-CqW4zJm2T8vXk1Rf0LhPdYbN5sAe";
const CREATED = 1_790_000_000;

const sse = (chunks: readonly unknown[], end = "data: [DONE]\n\n") =>
  chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("") + end;

/** A supplier's stream: its own envelope around deltas. */
function supplier(model: string, extra: Readonly<Record<string, unknown>> = {}) {
  const envelope = { id: ID, created: CREATED, model, ...extra };
  return {
    said: (delta: unknown, finish: string | null = null, more: object = {}) => ({
      ...envelope,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      ...more,
    }),
    used: (usage: unknown) => ({ ...envelope, object: "chat.completion.chunk", choices: [], usage }),
    whole: (message: object, finish: string, usage: unknown) => ({
      ...envelope,
      object: "chat.completion",
      choices: [
        { index: 0, message: { role: "assistant", ...message }, logprobs: null, finish_reason: finish },
      ],
      usage,
    }),
  };
}

const openai = supplier("gpt-6-luna", { service_tier: "default", system_fingerprint: "fp_50906f2aac" });
const NO_USAGE_YET = { usage: null, obfuscation: "kQz7" };
const ROLE = openai.said({ role: "assistant", content: "", refusal: null }, null, NO_USAGE_YET);

const usage = (prompt: number, completion: number, cached = 0, reasoning = 0) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: reasoning,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
});

const text: GoldenAnswer = {
  name: "text",
  stream: sse([
    ROLE,
    openai.said({ content: "Grüße" }, null, NO_USAGE_YET),
    openai.said({ content: ", 世界 " }, null, NO_USAGE_YET),
    openai.said({ content: "😀." }, null, NO_USAGE_YET),
    openai.said({}, "stop", NO_USAGE_YET),
    openai.used(usage(1_200, 42, 1_024, 16)),
  ]),
  whole: openai.whole(
    { content: "Grüße, 世界 😀.", refusal: null, annotations: [] },
    "stop",
    usage(1_200, 42, 1_024, 16),
  ),
};

const deepseek = supplier("deepseek-v4");
const deepseekUsage = {
  prompt_tokens: 300,
  completion_tokens: 80,
  total_tokens: 380,
  prompt_cache_hit_tokens: 256,
  prompt_cache_miss_tokens: 44,
  completion_tokens_details: { reasoning_tokens: 60 },
};

/** DeepSeek: usage stands in the chunk that ends the answer. */
const thinking: GoldenAnswer = {
  name: "thinking",
  stream: sse([
    deepseek.said({ role: "assistant", content: null, reasoning_content: "" }),
    deepseek.said({ content: null, reasoning_content: "Nine elevens " }),
    deepseek.said({ content: null, reasoning_content: "are 99." }),
    deepseek.said({ content: "It is ", reasoning_content: null }),
    deepseek.said({ content: "99.", reasoning_content: null }),
    deepseek.said({ content: "", reasoning_content: null }, "stop", { usage: deepseekUsage }),
  ]),
  whole: deepseek.whole(
    { content: "It is 99.", reasoning_content: "Nine elevens are 99." },
    "stop",
    deepseekUsage,
  ),
};

const call = (index: number, piece: string) =>
  openai.said({ tool_calls: [{ index, function: { arguments: piece } }] }, null, NO_USAGE_YET);
const begun = (index: number, id: string, name: string) =>
  openai.said(
    { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] },
    null,
    NO_USAGE_YET,
  );

const toolCalls: GoldenAnswer = {
  name: "tool_calls",
  stream: sse([
    ROLE,
    openai.said({ content: "I shall look " }, null, NO_USAGE_YET),
    openai.said({ content: "at both." }, null, NO_USAGE_YET),
    begun(0, "call_VSzy1OPQwT3nJ6Nj2mTxl3Rk", "get_weather"),
    call(0, '{"ci'),
    call(0, 'ty":"Rēz'),
    call(0, 'ekne"}'),
    begun(1, "call_4gAqpl0bYJ4f0nXB2eYhN1yD", "get_time"),
    call(1, "{}"),
    openai.said({}, "tool_calls", NO_USAGE_YET),
    openai.used(usage(500, 61)),
  ]),
  whole: openai.whole(
    {
      content: "I shall look at both.",
      refusal: null,
      tool_calls: [
        {
          id: "call_VSzy1OPQwT3nJ6Nj2mTxl3Rk",
          type: "function",
          function: { name: "get_weather", arguments: '{"city":"Rēzekne"}' },
        },
        {
          id: "call_4gAqpl0bYJ4f0nXB2eYhN1yD",
          type: "function",
          function: { name: "get_time", arguments: "{}" },
        },
      ],
    },
    "tool_calls",
    usage(500, 61),
  ),
};

/** OpenAI ends a refusal as it ends any answer. */
const refusal: GoldenAnswer = {
  name: "refusal",
  stream: sse([
    ROLE,
    openai.said({ refusal: "I cannot " }, null, NO_USAGE_YET),
    openai.said({ refusal: "help with that." }, null, NO_USAGE_YET),
    openai.said({}, "stop", NO_USAGE_YET),
    openai.used(usage(90, 9)),
  ]),
  whole: openai.whole({ content: null, refusal: "I cannot help with that." }, "stop", usage(90, 9)),
};

const length: GoldenAnswer = {
  name: "length",
  stream: sse([
    ROLE,
    openai.said({ content: "Once upon a" }, null, NO_USAGE_YET),
    openai.said({}, "length", NO_USAGE_YET),
    openai.used(usage(20, 3)),
  ]),
  whole: openai.whole({ content: "Once upon a", refusal: null }, "length", usage(20, 3)),
};

/** Azure cut it off after a few words. */
const filtered: GoldenAnswer = {
  name: "filtered",
  stream: sse([
    { ...openai.used(null), prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }] },
    ROLE,
    openai.said({ content: "First, take" }),
    openai.said({}, "content_filter"),
    openai.used(usage(35, 4)),
  ]),
  whole: openai.whole({ content: "First, take" }, "content_filter", usage(35, 4)),
};

const error: GoldenAnswer = {
  name: "error",
  stream: sse(
    [
      ROLE,
      openai.said({ content: "Let me" }, null, NO_USAGE_YET),
      {
        error: {
          message: "The server had an error while processing your request. Sorry about that!",
          type: "server_error",
          param: null,
          code: null,
        },
      },
    ],
    "",
  ),
  whole: null,
};

const google = supplier("gemini-3-pro");
const signedCall = {
  id: "function-call-1185",
  type: "function",
  function: { name: "get_weather", arguments: '{"city":"Riga"}' },
  extra_content: { google: { thought_signature: "CpcBAdHtim8x==" } },
};

/** Google's compatible API: whole calls, signed, and no `[DONE]` was seen when a proxy lay between. */
const signed: GoldenAnswer = {
  name: "signed",
  stream: sse(
    [
      google.said({ role: "assistant", tool_calls: [{ index: 0, ...signedCall }] }),
      google.said({ role: "assistant" }, "stop", { usage: usage(70, 22) }),
    ],
    "",
  ),
  whole: google.whole({ content: null, tool_calls: [signedCall] }, "stop", usage(70, 22)),
};

const openrouter = supplier("anthropic/claude-opus-5", { provider: "Anthropic" });
const FORMAT = { format: "anthropic-claude-v1", index: 0 };

/** OpenRouter: reasoning in both fields, and its signature in a chunk of its own; comments between the events. */
const detailed: GoldenAnswer = {
  name: "detailed",
  stream:
    ": OPENROUTER PROCESSING\n\n" +
    sse([
      openrouter.said({
        role: "assistant",
        content: "",
        reasoning: "Add ",
        reasoning_details: [{ type: "reasoning.text", text: "Add ", ...FORMAT }],
      }),
      openrouter.said({
        role: "assistant",
        content: "",
        reasoning: "them.",
        reasoning_details: [{ type: "reasoning.text", text: "them.", ...FORMAT }],
      }),
      openrouter.said({
        role: "assistant",
        content: "",
        reasoning: null,
        reasoning_details: [{ type: "reasoning.text", signature: "ErUBCkYIBx", ...FORMAT }],
      }),
      openrouter.said({ role: "assistant", content: "Five." }),
      openrouter.said({ role: "assistant", content: "" }, "stop"),
      openrouter.said({ role: "assistant", content: "" }, null, { usage: usage(15, 30, 0, 12) }),
    ]),
  whole: openrouter.whole(
    {
      content: "Five.",
      reasoning: "Add them.",
      reasoning_details: [{ type: "reasoning.text", text: "Add them.", signature: "ErUBCkYIBx", ...FORMAT }],
    },
    "stop",
    usage(15, 30, 0, 12),
  ),
};

const PICTURE = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };

const picture: GoldenAnswer = {
  name: "picture",
  stream: sse([
    openrouter.said({ role: "assistant", content: "Here it is:" }),
    openrouter.said({ role: "assistant", content: "", images: [{ ...PICTURE, index: 0 }] }),
    openrouter.said({ role: "assistant", content: "" }, "stop"),
    openrouter.used(usage(12, 1_290)),
  ]),
  whole: openrouter.whole({ content: "Here it is:", images: [PICTURE] }, "stop", usage(12, 1_290)),
};

export const GOLDEN_ANSWERS: readonly GoldenAnswer[] = [
  text,
  thinking,
  toolCalls,
  refusal,
  length,
  filtered,
  error,
  signed,
  detailed,
  picture,
];
