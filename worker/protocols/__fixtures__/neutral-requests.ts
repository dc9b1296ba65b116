/** Conversations as clients have them, in the neutral form, and what of them every dialect must keep. */
import fc from "fast-check";
import { BARE_REQUEST, type NeutralRequest, type Part, type Turn } from "../neutral.ts";

const words = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).map((text) => `${text}.`);
const id = fc.stringMatching(/^[A-Za-z0-9_-]{6,40}$/);
const toolName = fc.stringMatching(/^[a-z][a-z0-9_]{2,30}$/);
const argumentsOf = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(words, fc.integer(), fc.boolean()), { maxKeys: 4 })
  .map((value) => JSON.stringify(value));

const text = words.map((value) => ({ kind: "text", text: value, cache: null }) as const);
const picture = fc.constant({
  kind: "media",
  mediaType: "image/png",
  source: { kind: "base64", data: "iVBORw0KGgo=" },
  name: null,
  cache: null,
} as const);

const person: fc.Arbitrary<Turn> = fc
  .array(fc.oneof({ weight: 3, arbitrary: text }, picture), { minLength: 1, maxLength: 3 })
  .map((parts) => ({ role: "user", parts }));

/** The model speaks, calls some tools at once, and gets every result. */
const toolRound: fc.Arbitrary<Turn[]> = fc
  .record({
    said: fc.option(text, { nil: null }),
    calls: fc.uniqueArray(fc.record({ id, name: toolName, arguments: argumentsOf, result: words }), {
      minLength: 1,
      maxLength: 3,
      selector: (call) => call.id,
    }),
  })
  .map(({ said, calls }) => [
    {
      role: "assistant",
      parts: [
        ...(said === null ? [] : [said]),
        ...calls.map(
          (call): Part => ({
            kind: "tool_call",
            id: call.id,
            name: call.name,
            arguments: call.arguments,
            signature: null,
          }),
        ),
      ],
    },
    {
      role: "user",
      parts: calls.map(
        (call): Part => ({
          kind: "tool_result",
          callId: call.id,
          name: call.name,
          content: [{ kind: "text", text: call.result, cache: null }],
          isError: false,
          cache: null,
        }),
      ),
    },
  ]);

const answer: fc.Arbitrary<Turn> = text.map((part) => ({ role: "assistant", parts: [part] }));
const round = fc.oneof(
  answer.map((turn) => [turn]),
  toolRound.chain((rounds) => answer.map((turn) => [...rounds, turn])),
);

/** A system message perhaps, then a person and the model in turns; ids are unique within a conversation. */
export const conversations: fc.Arbitrary<readonly Turn[]> = fc
  .record({
    system: fc.option(
      text.map((part): Turn => ({ role: "system", parts: [part] })),
      { nil: null },
    ),
    rounds: fc.array(fc.tuple(person, round), { maxLength: 4 }),
    last: person,
  })
  .map(({ system, rounds, last }) => [
    ...(system === null ? [] : [system]),
    ...rounds.flatMap(([asked, answered]) => [asked, ...answered]),
    last,
  ])
  .filter((turns) => {
    const ids = turns.flatMap(({ parts }) => parts.flatMap((part) => (part.kind === "tool_call" ? [part.id] : [])));
    return new Set(ids).size === ids.length;
  });

export const requests: fc.Arbitrary<NeutralRequest> = fc
  .record({
    turns: conversations,
    stream: fc.boolean(),
    temperature: fc.option(fc.constantFrom(0, 0.5, 1), { nil: null }),
    outputTokensMax: fc.option(fc.integer({ min: 16, max: 4096 }), { nil: null }),
    isParallel: fc.option(fc.boolean(), { nil: null }),
  })
  .map(({ turns, stream, temperature, outputTokensMax, isParallel }) => ({
    ...BARE_REQUEST,
    model: "some-model",
    turns,
    stream,
    temperature,
    outputTokensMax,
    tools: toolsOf(turns),
    parallelToolCalls: toolsOf(turns).length === 0 ? null : isParallel,
  }));

const toolsOf = (turns: readonly Turn[]): NeutralRequest["tools"] => {
  const names = turns.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.kind === "tool_call" ? [part.name] : [])),
  );
  return [...new Set(names)].map((name) => ({
    name,
    description: `Does ${name}.`,
    parameters: { type: "object", properties: { value: { type: "string" } } },
    strict: null,
    cache: null,
  }));
};

type Said = readonly [role: string, kind: string, ...rest: unknown[]];

/**
 * What no crossing may change: who said what in which order, calls with their ids and arguments, results with
 * their calls. Text that stands side by side may come together, and thinking may stay behind.
 */
export function essenceOf({ turns }: Pick<NeutralRequest, "turns">): readonly Said[] {
  const said: Said[] = [];
  for (const { role, parts } of turns) for (const part of parts) say(said, role, part);
  return said;
}

function say(said: Said[], role: string, part: Part): void {
  switch (part.kind) {
    case "text": {
      if (part.text === "") return;
      const last = said.at(-1);
      if (last?.[0] === role && last[1] === "text") {
        said[said.length - 1] = [role, "text", `${String(last[2])}${part.text}`];
      } else said.push([role, "text", part.text]);
      return;
    }
    case "media":
      said.push([role, "media", part.mediaType, part.source]);
      return;
    case "tool_call":
      said.push([role, "tool_call", part.id, part.name, JSON.parse(part.arguments)]);
      return;
    case "tool_result":
      said.push([role, "tool_result", part.callId, part.content.map((inner) => (inner.kind === "text" ? inner.text : inner.source))]);
      return;
    case "thinking":
      return;
  }
}
