/** What one answer of 300 events costs from its request to its booking: the free plan allows 10 ms a request. */
import { answer } from "../../tests/upstream/behaviour.ts";
import { figure, forEachTarget, type Scenario } from "../bench.ts";
import { measureCpu } from "../cpu.ts";
import { liveStreams } from "../live-streams.ts";

/** Enough that the kernel's clock, which counts in tens of ms, is exact to a few percent. */
const STREAMS = 40;
const EVENTS = 300;
const INTERVAL_MS = 20;

export const longStream: Scenario = {
  name: "long-stream",
  title: `A stream of ${String(EVENTS)} events, one every ${String(INTERVAL_MS)} ms`,
  async run(bench) {
    const intervalMs = bench.quick ? 10 : INTERVAL_MS;
    await bench.behave(answer({ events: EVENTS, eventIntervalMs: intervalMs }));
    const load = { streams: STREAMS, events: EVENTS, intervalMs, startMs: 500 };
    const workers = { ...bench, targets: bench.targets.filter(({ pid }) => pid !== null) };
    const results = await forEachTarget(workers, (target) =>
      measureCpu(target, () => liveStreams(target, load)),
    );
    return [figure("CPU per stream of 300 events", "ms", results, ({ cpuMs }) => cpuMs / STREAMS)];
  },
};
