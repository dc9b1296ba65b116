/** How calls look as items of the output, by the kind of the client's tool. Pure. */
import type { JsonObject } from "../../neutral.ts";
import { placeOf, withText, type Form, type OpenItem, type Status, type WireEvent } from "./answer-item.ts";
import { lastInput, readInput } from "./custom-input.ts";

function callFields({ id, call }: OpenItem, status: Status): JsonObject {
  const { namespace = null, name = "" } = call?.tool ?? {};
  return { id, status, call_id: call?.id ?? id, name, ...(namespace === null ? {} : { namespace }) };
}

const argumentsDelta = (item: OpenItem, delta: string): WireEvent => ({
  type: "response.function_call_arguments.delta",
  ...placeOf(item),
  delta,
});

export const functionCall: Form = {
  idPrefix: "fc",
  item: (item, status) => ({
    type: "function_call",
    ...callFields(item, status),
    arguments: status === "completed" ? item.text : "",
  }),
  opened: (item) => [item, []],
  told: (item, delta) => [withText(item, delta), [argumentsDelta(item, delta)]],
  closed: (item) => {
    const whole = item.text === "" ? withText(item, "{}") : item;
    return [
      whole,
      [
        ...(whole === item ? [] : [argumentsDelta(item, whole.text)]),
        {
          type: "response.function_call_arguments.done",
          ...placeOf(item),
          name: item.call?.tool.name ?? "",
          arguments: whole.text,
        },
      ],
    ];
  },
};

const inputDelta = (item: OpenItem, delta: string): readonly WireEvent[] =>
  delta === "" ? [] : [{ type: "response.custom_tool_call_input.delta", ...placeOf(item), delta }];

export const customCall: Form = {
  idPrefix: "ctc",
  item: (item, status) => ({
    type: "custom_tool_call",
    ...callFields(item, status),
    input: status === "completed" ? item.text : "",
  }),
  opened: (item) => [item, []],
  told: (item, delta) => {
    const [input, plain] = readInput(item.input, delta);
    return [{ ...withText(item, plain), input }, inputDelta(item, plain)];
  },
  closed: (item) => {
    const rest = lastInput(item.input);
    const whole = withText(item, rest);
    return [
      whole,
      [
        ...inputDelta(item, rest),
        { type: "response.custom_tool_call_input.done", ...placeOf(item), input: whole.text },
      ],
    ];
  },
};

/** Clients are told of such a call when it is whole. */
export const searchCall: Form = {
  idPrefix: "tsc",
  item: (item, status) => ({
    type: "tool_search_call",
    id: item.id,
    call_id: item.call?.id ?? item.id,
    execution: "client",
    status,
    arguments: status === "completed" ? argumentsObject(item.text) : {},
  }),
  opened: (item) => [item, []],
  told: (item, delta) => [withText(item, delta), []],
  closed: (item) => [item, []],
};

function argumentsObject(json: string): unknown {
  try {
    return JSON.parse(json === "" ? "{}" : json);
  } catch {
    return {};
  }
}
