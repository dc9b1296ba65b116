/** What an event costs where the relay puts it into another dialect, beside the same upstream's events as they are. */
import { answer } from "../../tests/upstream/behaviour.ts";
import { figure, type Bench, type Figure, type Scenario } from "../bench.ts";
import { chatQuestion, question, responsesQuestion, type Ask } from "../bodies.ts";
import { measureCpu } from "../cpu.ts";
import { liveStreams, type LiveLoad } from "../live-streams.ts";
import type { Target, TargetName, WorkerName } from "../targets.ts";

const STREAMS = 40;
const INTERVAL_MS = 10;
const CLAUDE = "claude-sonnet-4-5-20250929";
const GPT = "gpt-6-sol";

const MESSAGES = (model: string): Ask => ({ path: "/v1/messages", body: question({ stream: true, model }) });
const RESPONSES: Ask = { path: "/v1/responses", body: responsesQuestion(GPT) };
const CHAT: Ask = { path: "/v1/chat/completions", body: chatQuestion(CLAUDE) };

interface Upstream {
  readonly stream: string;
  /** In its own dialect. */
  readonly native: Ask;
  readonly translated: { readonly into: string; readonly ask: Ask };
}

/** The model's name alone decides which account serves. */
const UPSTREAMS: readonly Upstream[] = [
  { stream: "Anthropic's", native: MESSAGES(CLAUDE), translated: { into: "a chat", ask: CHAT } },
  { stream: "OpenAI's", native: RESPONSES, translated: { into: "Anthropic's", ask: MESSAGES(GPT) } },
];

/** The fake numbers the pieces of its text, so that the last one tells whether all came. */
function assertWhole(target: Target, bodies: readonly string[], events: number): void {
  const last = `片${String(events - 1)}`;
  const broken = bodies.filter((body) => !Buffer.from(body, "latin1").toString().includes(last)).length;
  if (broken > 0) throw new Error(`${target.name}: ${String(broken)} streams came without their end`);
}

/** @returns seconds of CPU time for a million events */
async function measure(target: Target, ask: Ask, load: Omit<LiveLoad, "ask">): Promise<number> {
  // The code of a translation is compiled at its first use.
  await liveStreams(target, { ...load, ask, streams: load.streams / 4 });
  const { result, cpuMs } = await measureCpu(target, () => liveStreams(target, { ...load, ask }));
  assertWhole(target, result.bodies, load.events);
  return (cpuMs / (load.streams * load.events)) * 1000;
}

async function figuresOf(bench: Bench, upstream: Upstream, load: Omit<LiveLoad, "ask">): Promise<Figure[]> {
  const native = new Map<TargetName, number>();
  const translated = new Map<TargetName, number>();
  for (const target of bench.targets.filter(({ pid }) => pid !== null)) {
    const seconds = await measure(target, upstream.native, load);
    native.set(target.name, seconds);
    // A bare pass-through has nothing to set against a translation but the same events as they are.
    const isRelay = target.name === ("relay" satisfies WorkerName);
    translated.set(target.name, isRelay ? await measure(target, upstream.translated.ask, load) : seconds);
  }
  const name = `CPU per million events, ${upstream.stream}`;
  return [
    figure(`${name} as they are`, "s", native, Number),
    figure(`${name} as ${upstream.translated.into}`, "s", translated, Number),
  ];
}

export const translation: Scenario = {
  name: "translation",
  title: `Translation: ${String(STREAMS)} streams, an event every ${String(INTERVAL_MS)} ms`,
  async run(bench) {
    const events = bench.quick ? 400 : 1000;
    await bench.behave(answer({ events, eventIntervalMs: INTERVAL_MS }));
    const load = { streams: STREAMS, events, intervalMs: INTERVAL_MS, startMs: 500 };
    const figures: Figure[] = [];
    for (const upstream of UPSTREAMS) figures.push(...(await figuresOf(bench, upstream, load)));
    return figures;
  },
};
