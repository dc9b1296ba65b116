/** Request bodies: a question of one line, and a turn of a coding session. Pure: the same bytes at every run. */

export type RequestBody = Buffer;

/** What is sent where. */
export interface Ask {
  readonly path: string;
  readonly body: RequestBody;
}

const MODEL = "claude-sonnet-4-5-20250929";
const SENTENCE =
  "Prefer the smallest change that makes the failing test pass, and say in one line why it is right. ";

const encode = (body: Record<string, unknown>): RequestBody => Buffer.from(JSON.stringify(body));

const QUESTION = "How far is the moon?";
const CONVERSATION = [{ role: "user", content: QUESTION }];

export const question = (options: { readonly stream: boolean; readonly model?: string }): RequestBody =>
  encode({
    model: options.model ?? MODEL,
    max_tokens: 100,
    messages: CONVERSATION,
    stream: options.stream,
  });

/** The same to OpenAI's APIs, streamed. */
export const chatQuestion = (model: string): RequestBody =>
  encode({ model, messages: CONVERSATION, stream: true });
export const responsesQuestion = (model: string): RequestBody =>
  encode({ model, input: QUESTION, stream: true });

const prose = (bytes: number): string => SENTENCE.repeat(Math.ceil(bytes / SENTENCE.length)).slice(0, bytes);

const TOOL_COUNT = 26;
const TOOL_FIELDS = ["path", "pattern", "offset", "limit", "replace_all", "timeout", "description"];

function tool(index: number): Record<string, unknown> {
  const properties = TOOL_FIELDS.map((name) => [name, { type: "string", description: prose(60) }]);
  return {
    name: `tool_${String(index)}`,
    description: prose(900),
    input_schema: {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      properties: Object.fromEntries(properties) as Record<string, unknown>,
      required: ["path"],
      additionalProperties: false,
    },
  };
}

/** What a tool has read: code, which in JSON is full of escapes. */
const CODE_LINE = `\tconst name = "value";\n\tif (name === "other") return { kind: "none", at: [1, 2] };\n`;
const CODE = CODE_LINE.repeat(60);

/** One step of the session so far: the model called a tool, and the client sent what came of it. */
function step(index: number): Record<string, unknown>[] {
  const id = `toolu_${String(index).padStart(24, "0")}`;
  return [
    {
      role: "assistant",
      content: [
        { type: "text", text: prose(120) },
        {
          type: "tool_use",
          id,
          name: `tool_${String(index)}`,
          input: { path: `src/file-${String(index)}.ts` },
        },
      ],
    },
    { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: CODE }] },
  ];
}

/** A turn of Claude Code in its session `index`: about 100 kB with prompt, tools, and six steps. */
export function codingTurn(index: number): RequestBody {
  const session = `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
  const cached = { cache_control: { type: "ephemeral" } };
  return encode({
    model: MODEL,
    messages: [
      { role: "user", content: [{ type: "text", text: prose(2000) }] },
      ...Array.from({ length: 6 }, (_, at) => step(at)).flat(),
      { role: "user", content: [{ type: "text", text: "Go on.", ...cached }] },
    ],
    system: [
      { type: "text", text: "You are Claude Code, Anthropic's official CLI for Claude.", ...cached },
      { type: "text", text: prose(16_000), ...cached },
    ],
    tools: Array.from({ length: TOOL_COUNT }, (_, at) => tool(at)),
    metadata: {
      user_id: JSON.stringify({ device_id: "0".repeat(64), account_uuid: "", session_id: session }),
    },
    max_tokens: 32_000,
    thinking: { type: "enabled", budget_tokens: 31_999 },
    stream: true,
  });
}
