/**
 * Tool calls out of deltas, as loosely as suppliers tell them: without indices, without ids, with one index for
 * all, or with arguments before the name. Pure.
 */
import { isObject, type Json } from "../../../domain/json.ts";
import type { AnswerEvent, Bound } from "../../neutral.ts";
import { JSON_START, advance, isWhole, type JsonProgress } from "./json-progress.ts";
import { boundExtra } from "./reasoning.ts";

export interface CallState {
  /** Where the upstream counts it. */
  readonly position: number | null;
  readonly id: string | null;
  readonly name: string | null;
  /** Of the neutral part; null until the name is known, and until then the rest is held. */
  readonly index: number | null;
  readonly held: string;
  readonly signature: Bound | null;
  readonly json: JsonProgress;
  readonly closed: boolean;
}

/** What one delta says of a call. */
export interface CallDelta {
  readonly position: number | null;
  readonly id: string | null;
  readonly name: string | null;
  readonly text: string;
  readonly signature: Bound | null;
}

const filled = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

export function callDelta(value: unknown): CallDelta | null {
  if (!isObject(value)) return null;
  const called = isObject(value.function) ? value.function : {};
  return {
    position: typeof value.index === "number" ? value.index : null,
    id: filled(value.id),
    name: filled(called.name),
    text: argumentsText(called.arguments),
    signature: isObject(value.extra_content) ? boundExtra(value.extra_content) : null,
  };
}

/** The older form: one call, which has no id. */
export const legacyDelta = (value: Json): CallDelta => ({
  position: null,
  id: null,
  name: filled(value.name),
  text: argumentsText(value.arguments),
  signature: null,
});

/** Some send the object itself. */
const argumentsText = (value: unknown): string =>
  typeof value === "string" ? value : isObject(value) ? JSON.stringify(value) : "";

/** The place of the call that a delta continues; -1: it begins one. */
export function continuedBy(calls: readonly CallState[], { position, id, name }: CallDelta): number {
  const found =
    position !== null
      ? calls.findLastIndex((call) => call.position === position)
      : id !== null
        ? calls.findLastIndex((call) => call.id === id)
        : name === null
          ? calls.length - 1
          : -1;
  const known = calls[found]?.id;
  const isOther = name !== null && id !== null && typeof known === "string" && known !== id;
  return isOther ? -1 : found;
}

const NEW_CALL: CallState = {
  position: null,
  id: null,
  name: null,
  index: null,
  held: "",
  signature: null,
  json: JSON_START,
  closed: false,
};

/** The call with what is new of it; not yet told. */
export function withDelta(call: CallState | undefined, delta: CallDelta): CallState {
  const before = call ?? { ...NEW_CALL, position: delta.position };
  return {
    ...before,
    id: before.id ?? delta.id,
    name: before.name ?? delta.name,
    held: before.held + delta.text,
    signature: delta.signature ?? before.signature,
    json: advance(before.json, delta.text),
  };
}

/** Tells what is held of a call that is open, and holds it no longer. */
export function told(call: CallState): readonly [CallState, readonly AnswerEvent[]] {
  const { index, held, signature } = call;
  if (index === null || call.closed) return [call, []];
  const events: AnswerEvent[] = [];
  if (held !== "") events.push({ kind: "delta", index, text: held });
  if (signature !== null) events.push({ kind: "signature", index, signature });
  return [{ ...call, held: "", signature: null }, events];
}

/** Nothing more can come of it. */
export const isDone = ({ index, closed, json }: CallState): boolean =>
  index !== null && !closed && isWhole(json);
