/** The parts of an answer that an upstream is saying, by where they stand in it. Pure. */
import type { AnswerEvent, Bound, OpenPart } from "../../neutral.ts";
import type { Step } from "../../translate.ts";

interface SpokenPart {
  readonly index: number;
  /** Some of its text was told. */
  readonly isTold: boolean;
  readonly isClosed: boolean;
  /** Of thinking: which of its texts is told, and up to which section. */
  readonly source: string | null;
  readonly section: number;
}

export interface Speaking {
  /** Index of the next part. */
  readonly next: number;
  /** By item and slot (`3/call`); an item's parts are forgotten when it is done. */
  readonly parts: ReadonlyMap<string, SpokenPart>;
  readonly saidCall: boolean;
  readonly saidRefusal: boolean;
  /** Anything at all. */
  readonly saidAny: boolean;
}

export type Saying = Step<Speaking, AnswerEvent>;

export const SILENT: Speaking = {
  next: 0,
  parts: new Map(),
  saidCall: false,
  saidRefusal: false,
  saidAny: false,
};

/** Two steps, one after the other. */
export function andThen([state, out]: Saying, step: (state: Speaking) => Saying): Saying {
  const [next, more] = step(state);
  return more.length === 0 ? [next, out] : [next, [...out, ...more]];
}

export const partAt = (state: Speaking, key: string): SpokenPart | null => state.parts.get(key) ?? null;

const withPart = (state: Speaking, key: string, part: SpokenPart): Speaking => ({
  ...state,
  parts: new Map(state.parts).set(key, part),
});

/** No model says so much at once; every part costs a copy of those before it. */
const PARTS_MAX = 10_000;

/** Opens a part, unless it is known. */
export function open(state: Speaking, key: string, part: OpenPart): Saying {
  if (state.parts.has(key) || state.next >= PARTS_MAX) return [state, []];
  const fresh = { index: state.next, isTold: false, isClosed: false, source: null, section: 0 };
  const opened: Speaking = {
    ...withPart(state, key, fresh),
    next: state.next + 1,
    saidAny: true,
    saidCall: state.saidCall || part.kind === "tool_call",
    saidRefusal: state.saidRefusal || part.kind === "refusal",
  };
  return [opened, [{ kind: "open", index: fresh.index, part }]];
}

/** More of an open part's text. */
export function tell(state: Speaking, key: string, text: string): Saying {
  const part = partAt(state, key);
  if (part === null || part.isClosed || text === "") return [state, []];
  const next = part.isTold ? state : withPart(state, key, { ...part, isTold: true });
  return [next, [{ kind: "delta", index: part.index, text }]];
}

/** Sections of one source are told with an empty line between them; another source says the same again. */
export function tellSection(
  state: Speaking,
  key: string,
  { source, section, text }: { readonly source: string; readonly section: number; readonly text: string },
): Saying {
  const part = partAt(state, key);
  if (part === null || text === "" || (part.source !== null && part.source !== source)) return [state, []];
  const gap = part.isTold && section > part.section ? "\n\n" : "";
  return tell(withPart(state, key, { ...part, source, section }), key, `${gap}${text}`);
}

/** Closes a part with its whole text, which is told if none of it was. */
export function complete(
  state: Speaking,
  key: string,
  whole: string,
  signature: Bound | null = null,
): Saying {
  const part = partAt(state, key);
  if (part === null || part.isClosed) return [state, []];
  const [told, out] = part.isTold ? ([state, []] as const) : tell(state, key, whole);
  const { index } = part;
  return [
    withPart(told, key, { ...part, isClosed: true }),
    [
      ...out,
      ...(signature === null ? [] : [{ kind: "signature", index, signature } as const]),
      { kind: "close", index },
    ],
  ];
}

/** Closes what is still open of an item, and forgets it; of all items, without a name. */
export function forget(state: Speaking, item: string | null): Saying {
  const own = [...state.parts].filter(([key]) => item === null || key.startsWith(`${item}/`));
  if (own.length === 0) return [state, []];
  const parts = new Map(state.parts);
  for (const [key] of own) parts.delete(key);
  const closed = own.flatMap(([, { isClosed, index }]) =>
    isClosed ? [] : [{ kind: "close", index } as const],
  );
  return [{ ...state, parts }, closed];
}
