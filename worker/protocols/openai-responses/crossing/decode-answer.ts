/** An upstream's answer in the neutral form, streamed or whole. Pure. */
import { isObject, type Json } from "../../../domain/json.ts";
import { z } from "zod";
import type { AnswerEvent, AnswerUsage, FinishReason } from "../../neutral.ts";
import { EMPTY_READING } from "../../../domain/usage.ts";
import { withUsage } from "../../openai/usage.ts";
import type { ToolNames } from "../../tool-names.ts";
import { running, type AnswerDecoder, type Step, type StreamMessage } from "../../translate.ts";
import { finishItem, readItem, type ItemScene } from "./answer-output.ts";
import { SILENT, andThen, forget, type Saying, type Speaking } from "./answer-parts.ts";
import { HANDLERS, readEvent } from "./stream-events.ts";

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

interface State {
  readonly started: boolean;
  readonly over: boolean;
  readonly speaking: Speaking;
}

const START: State = { started: false, over: false, speaking: SILENT };

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
