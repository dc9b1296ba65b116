/** An upstream's answer, streamed or whole, as neutral events. It may send anything: nothing here throws. Pure. */
import { isObject, type Json } from "../../../domain/json.ts";
import type { AnswerEvent, AnswerFacts, FinishReason } from "../../neutral.ts";
import { streamErrorOf } from "../../openai/usage.ts";
import type { ToolNames } from "../../tool-names.ts";
import { running, type AnswerDecoder, type StreamMessage } from "../../translate.ts";
import { readFinishReason, readUsage } from "./answer-fields.ts";
import { decodeDelta } from "./decode-delta.ts";
import {
  EMPTY_STATE,
  andThen,
  closeAll,
  say,
  type Context,
  type DecoderState,
  type DecoderStep,
} from "./decoder-state.ts";

const DONE = "[DONE]";

export function createDecoder(facts: AnswerFacts, names: ToolNames, stop: readonly string[]): AnswerDecoder {
  const context: Context = { callId: (position) => `call_${facts.id}_${String(position)}`, names, stop };
  const step = (state: DecoderState, message: StreamMessage) => decodeMessage(state, message, context);
  const stream = running(EMPTY_STATE, step);
  return {
    decode: (message) => stream.push(message),
    // Many who copy this dialect end without a word; a reason for the end is one.
    end: () => (stream.state.reason === null ? [] : stream.push({ name: null, data: DONE })),
    whole: (body) => {
      const whole = running(EMPTY_STATE, step);
      const events = whole.push({ name: null, data: chunkOf(body) });
      return isObject(body) && Array.isArray(body.choices)
        ? [...events, ...whole.push({ name: null, data: DONE })]
        : events;
    },
  };
}

/** A complete answer as the one chunk of a stream. */
function chunkOf(body: unknown): unknown {
  if (!isObject(body) || !Array.isArray(body.choices)) return body;
  const choices: readonly unknown[] = body.choices;
  return {
    ...body,
    choices: choices.map((choice) => {
      if (!isObject(choice)) return choice;
      const { message, ...rest } = choice;
      return { ...rest, delta: withPositions(message) };
    }),
  };
}

/** Where there are no pieces, every call is one of its own. */
function withPositions(message: unknown): unknown {
  if (!isObject(message) || !Array.isArray(message.tool_calls)) return message;
  const calls: readonly unknown[] = message.tool_calls;
  return { ...message, tool_calls: calls.map((call, index) => (isObject(call) ? { ...call, index } : call)) };
}

function decodeMessage(state: DecoderState, { name, data }: StreamMessage, context: Context): DecoderStep {
  if (state.ended) return [state, []];
  if (data === DONE) return finish(state);
  if (!isObject(data)) return [state, []];
  const error = errorIn(name, data);
  if (error !== null) return failed(state, error);
  return andThen(started(state, data), (next) => decodeChunk(next, data, context));
}

/** vLLM sends the error itself, marked as one. */
function errorIn(name: string | null, data: Json): unknown {
  if (data.error !== undefined && data.error !== null) return data.error;
  return name === "error" || data.object === "error" ? data : null;
}

function failed(state: DecoderState, error: unknown): DecoderStep {
  const { type, message } = streamErrorOf(typeof error === "string" ? { message: error } : error);
  const told: AnswerEvent = {
    kind: "error",
    type,
    message: message ?? "The upstream reported an error and did not say which.",
  };
  return [{ ...state, ended: true }, [told]];
}

const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

function started(state: DecoderState, { id, model }: Json): DecoderStep {
  if (state.started) return [state, []];
  return [{ ...state, started: true }, [{ kind: "start", id: textOf(id), model: textOf(model) }]];
}

function decodeChunk(state: DecoderState, chunk: Json, context: Context): DecoderStep {
  const choices: readonly unknown[] = Array.isArray(chunk.choices) ? chunk.choices : [];
  const choice = choices.find((one): one is Json => isObject(one) && (one.index ?? 0) === 0);
  const delta = isObject(choice?.delta) ? choice.delta : {};
  const step = andThen(decodeDelta(state, delta, context), (next) => noteEnd(next, choice ?? {}, context));
  // Moonshot puts it into the choice.
  const usage = readUsage(chunk.usage) ?? readUsage(choice?.usage);
  if (usage === null) return step;
  return andThen(step, (next) => (next.ended ? [next, []] : say(next, { kind: "usage", usage })));
}

function noteEnd(state: DecoderState, choice: Json, { stop }: Context): DecoderStep {
  // OpenRouter, where one of several suppliers failed.
  if (isObject(choice.error)) return failed(state, choice.error);
  const word = textOf(choice.finish_reason);
  if (word === null) return [state, []];
  const reason = readFinishReason(word);
  if (reason === "failed")
    return failed(state, { type: "server_error", message: `The upstream broke off: ${word.slice(0, 100)}.` });
  // vLLM names the sequence here.
  const sequence = textOf(choice.stop_reason);
  const stopSequence = reason === "stop" && sequence !== null && stop.includes(sequence) ? sequence : null;
  return [{ ...state, reason, stopSequence }, []];
}

/** The reason comes before the usage, and the neutral form has it the other way round: it waits for the very end. */
function finish(state: DecoderState): DecoderStep {
  return andThen(started(state, {}), (begun) =>
    andThen(closeAll(begun), (closed) => [
      { ...closed, ended: true },
      [{ kind: "finish", reason: reasonOf(closed), stopSequence: closed.stopSequence }, { kind: "end" }],
    ]),
  );
}

/** Suppliers say `stop` after calls, and OpenAI itself says it after a refusal. */
function reasonOf({ reason, refused, calls, stopSequence }: DecoderState): FinishReason {
  if (refused) return "refused";
  if (reason === "length" || reason === "refused") return reason;
  if (calls.some(({ index }) => index !== null)) return "tool_calls";
  return stopSequence === null ? "stop" : "stop_sequence";
}
