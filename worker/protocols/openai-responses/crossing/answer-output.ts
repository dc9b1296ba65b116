/** The items of an upstream's answer, each as it is when it is done. Pure. */
import { z } from "zod";
import type { OpenPart } from "../../neutral.ts";
import { readBound } from "../../neutral.ts";
import type { ToolNames } from "../../tool-names.ts";
import { complete, forget, open, andThen, type Saying, type Speaking } from "./answer-parts.ts";
import { INPUT } from "./client-tools.ts";

const text = z.string().catch("");
const texts = z.array(z.object({ text })).catch([]);

const itemSchema = z.object({
  type: text,
  id: text,
  call_id: text,
  name: text,
  arguments: text,
  input: text,
  result: text,
  output_format: text,
  encrypted_content: text,
  summary: texts,
  content: z.array(z.object({ type: text, text, refusal: text })).catch([]),
});

export type OutputItem = z.output<typeof itemSchema>;

/** null: nothing that could be an item. */
export const readItem = (value: unknown): OutputItem | null => itemSchema.safeParse(value).data ?? null;

export const CALL = "call";
export const THINKING = "thinking";

/** A call is told as soon as it is known by name. */
export function beginCall(state: Speaking, place: string, item: OutputItem, names: ToolNames): Saying {
  const id = item.call_id || item.id || `call_${String(state.next)}`;
  return open(state, `${place}/${CALL}`, { kind: "tool_call", id, name: names.toClient(item.name) });
}

export interface ItemScene {
  readonly place: string;
  readonly names: ToolNames;
}

type ItemReader = (state: Speaking, item: OutputItem, scene: ItemScene) => Saying;

const READERS: Readonly<Record<string, ItemReader>> = {
  message: (state, { content }, { place }) =>
    content.reduce<Saying>(
      (said, part, index) => andThen(said, (next) => wholeContent(next, `${place}/${String(index)}`, part)),
      [state, []],
    ),
  reasoning: (state, item, { place }) => wholeThinking(state, `${place}/${THINKING}`, item),
  function_call: (state, item, { place, names }) =>
    andThen(beginCall(state, place, item, names), (next) =>
      complete(next, `${place}/${CALL}`, item.arguments),
    ),
  custom_tool_call: (state, item, { place, names }) =>
    andThen(beginCall(state, place, item, names), (next) =>
      complete(next, `${place}/${CALL}`, JSON.stringify({ [INPUT]: item.input })),
    ),
  image_generation_call: (state, { result, output_format: format }) => {
    if (result === "") return [state, []];
    const mediaType = `image/${format === "" ? "png" : format}`;
    return [{ ...state, saidAny: true }, [{ kind: "media", mediaType, data: result }]];
  },
};

/** Tells what of an item was not told in pieces, and is done with it. */
export function finishItem(state: Speaking, item: OutputItem, scene: ItemScene): Saying {
  const reader = Object.hasOwn(READERS, item.type) ? READERS[item.type] : undefined;
  const said: Saying = reader === undefined ? [state, []] : reader(state, item, scene);
  return andThen(said, (next) => forget(next, scene.place));
}

const KINDS: Readonly<Record<string, OpenPart>> = {
  output_text: { kind: "text" },
  text: { kind: "text" },
  refusal: { kind: "refusal" },
};

export const contentKind = (type: string): OpenPart | null =>
  (Object.hasOwn(KINDS, type) ? KINDS[type] : undefined) ?? null;

export function wholeContent(state: Speaking, key: string, part: OutputItem["content"][number]): Saying {
  const kind = contentKind(part.type);
  if (kind === null) return [state, []];
  const whole = kind.kind === "refusal" ? part.refusal : part.text;
  if (whole === "" && !state.parts.has(key)) return [state, []];
  return andThen(open(state, key, kind), (next) => complete(next, key, whole));
}

function wholeThinking(state: Speaking, key: string, item: OutputItem): Saying {
  const told = sections(item.summary) || sections(item.content);
  const encrypted = item.encrypted_content;
  if (told === "" && encrypted === "" && !state.parts.has(key)) return [state, []];
  const signature = encrypted === "" ? null : readBound(encrypted, "openai-responses");
  return andThen(open(state, key, { kind: "thinking", redacted: told === "" }), (next) =>
    complete(next, key, told, signature),
  );
}

const sections = (parts: readonly { readonly text: string }[]): string =>
  parts
    .map((part) => part.text)
    .filter((part) => part !== "")
    .join("\n\n");
