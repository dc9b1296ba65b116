/** Answers as Gemini's API gives them, streamed and whole, with secrets and lengths reduced. */

/** As `alt=sse` writes it. */
export const sse = (messages: readonly unknown[]): string =>
  messages.map((message) => `data: ${JSON.stringify(message)}\r\n\r\n`).join("");

export interface GoldenAnswer {
  readonly name: string;
  readonly stream: string;
  /** Null where the answer only occurs in a stream. */
  readonly whole: unknown;
}

const meta = { modelVersion: "gemini-3.1-pro-preview", responseId: "u4ZgaZ2bFsuMnsEP0Lmw8Ac" };
const SIGNATURE = "EjQKMgERTTIPl8hG0o8xyGxHLx0Zk2uD3VtV0w2uFm6P1yRkq8Jt3r5pWJxA";

const said = (parts: readonly object[], more: object = {}, usageMetadata: object = {}) => ({
  candidates: [{ content: { parts, role: "model" }, ...more, index: 0 }],
  ...(Object.keys(usageMetadata).length === 0 ? {} : { usageMetadata }),
  ...meta,
});

const textUsage = {
  promptTokenCount: 1200,
  candidatesTokenCount: 9,
  totalTokenCount: 1209,
  cachedContentTokenCount: 1024,
  promptTokensDetails: [{ modality: "TEXT", tokenCount: 1200 }],
  cacheTokensDetails: [{ modality: "TEXT", tokenCount: 1024 }],
};

const text: GoldenAnswer = {
  name: "text",
  stream: sse([
    said([{ text: "Bonjour" }], {}, { promptTokenCount: 1200, totalTokenCount: 1200 }),
    said([{ text: ", 世界 😀" }]),
    said([{ text: "!" }], { finishReason: "STOP" }, textUsage),
  ]),
  whole: said([{ text: "Bonjour, 世界 😀!" }], { finishReason: "STOP", avgLogprobs: -0.2 }, textUsage),
};

const thinkingUsage = {
  promptTokenCount: 20,
  candidatesTokenCount: 4,
  totalTokenCount: 324,
  thoughtsTokenCount: 300,
};

const thinking: GoldenAnswer = {
  name: "thinking",
  stream: sse([
    said([{ text: "**Adding**\n\nTwo and", thought: true }]),
    said([{ text: " two.", thought: true }]),
    said([{ text: "It is" }]),
    said([{ text: " 4." }]),
    said([{ text: "", thoughtSignature: SIGNATURE }], { finishReason: "STOP" }, thinkingUsage),
  ]),
  whole: said(
    [
      { text: "**Adding**\n\nTwo and two.", thought: true },
      { text: "It is 4.", thoughtSignature: SIGNATURE },
    ],
    { finishReason: "STOP" },
    thinkingUsage,
  ),
};

const callUsage = {
  promptTokenCount: 80,
  candidatesTokenCount: 31,
  totalTokenCount: 118,
  toolUsePromptTokenCount: 7,
};
const paris = {
  functionCall: { id: "fc_paris1", name: "get_weather", args: { city: "Paris", days: 2 } },
  thoughtSignature: SIGNATURE,
};
const tokyo = { functionCall: { id: "fc_tokyo2", name: "get_weather", args: { city: "東京" } } };

const toolCalls: GoldenAnswer = {
  name: "tool_calls",
  stream: sse([
    said([{ text: "Let me look." }]),
    said([paris]),
    said([tokyo]),
    said([{ text: "" }], { finishReason: "STOP" }, callUsage),
  ]),
  whole: said([{ text: "Let me look." }, paris, tokyo], { finishReason: "STOP" }, callUsage),
};

/** The API of the 2.5 models gives calls no ids. */
const namelessCall: GoldenAnswer = {
  name: "tool_call_without_id",
  stream: sse([said([{ functionCall: { name: "list_files", args: {} } }], { finishReason: "STOP" }, callUsage)]),
  whole: said([{ functionCall: { name: "list_files", args: {} } }], { finishReason: "STOP" }, callUsage),
};

const refusalUsage = { promptTokenCount: 50, candidatesTokenCount: 3, totalTokenCount: 53 };
const unsafe = {
  finishReason: "SAFETY",
  finishMessage: "The answer was stopped by a safety filter.",
  safetyRatings: [{ category: "HARM_CATEGORY_DANGEROUS_CONTENT", probability: "HIGH", blocked: true }],
};

const refusal: GoldenAnswer = {
  name: "refusal",
  stream: sse([said([{ text: "First, take" }]), said([], unsafe, refusalUsage)]),
  whole: said([{ text: "First, take" }], unsafe, refusalUsage),
};

const blockedPrompt = {
  promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
  usageMetadata: { promptTokenCount: 50, totalTokenCount: 50 },
  ...meta,
};

const blocked: GoldenAnswer = {
  name: "blocked_prompt",
  stream: sse([blockedPrompt]),
  whole: blockedPrompt,
};

const malformedEnd = {
  candidates: [
    {
      finishReason: "MALFORMED_FUNCTION_CALL",
      finishMessage: "Malformed function call: print(default_api.get_weather(city=Paris))",
      index: 0,
    },
  ],
  usageMetadata: { promptTokenCount: 50, totalTokenCount: 50 },
  ...meta,
};

const malformed: GoldenAnswer = {
  name: "malformed_call",
  stream: sse([malformedEnd]),
  whole: malformedEnd,
};

const length: GoldenAnswer = {
  name: "length",
  stream: sse([said([{ text: "Once upon a" }], { finishReason: "MAX_TOKENS" }, refusalUsage)]),
  whole: said([{ text: "Once upon a" }], { finishReason: "MAX_TOKENS" }, refusalUsage),
};

const picture = { inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" } };
const image: GoldenAnswer = {
  name: "image",
  stream: sse([
    said([{ text: "Here it is." }]),
    said([{ ...picture, thought: true }]),
    said([picture], { finishReason: "STOP" }, refusalUsage),
  ]),
  whole: said([{ text: "Here it is." }, picture], { finishReason: "STOP" }, refusalUsage),
};

const error: GoldenAnswer = {
  name: "error",
  stream: sse([
    said([{ text: "One moment" }]),
    { error: { code: 503, message: "The model is overloaded. Please try again later.", status: "UNAVAILABLE" } },
  ]),
  whole: null,
};

export const GOLDEN_ANSWERS: readonly GoldenAnswer[] = [
  text,
  thinking,
  toolCalls,
  namelessCall,
  refusal,
  blocked,
  malformed,
  length,
  image,
  error,
];
