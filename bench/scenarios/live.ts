/** A hundred streams at reading pace: what an event costs, how late it is, and whether it came whole. */
import { answer } from "../../tests/upstream/behaviour.ts";
import { added, figure, forEachTarget, type Scenario } from "../bench.ts";
import { comparable, liveStreams } from "../live-streams.ts";
import { percentile } from "../statistics.ts";

const STREAMS = 100;
const INTERVAL_MS = 20;
const START_MS = 1000;

export const live: Scenario = {
  name: "live",
  title: `Live: ${String(STREAMS)} streams, an event every ${String(INTERVAL_MS)} ms`,
  async run(bench) {
    const events = bench.quick ? 120 : 250;
    await bench.behave(answer({ events, eventIntervalMs: INTERVAL_MS, sendTimes: true }));
    const results = await forEachTarget(bench, (target) =>
      liveStreams(target, { streams: STREAMS, events, intervalMs: INTERVAL_MS, startMs: START_MS }),
    );
    const [whole = ""] = (results.get("direct")?.bodies ?? []).map(comparable);
    const lag = (share: number) =>
      figure(`event lag p${String(share * 100)}`, "ms", results, ({ lagMs }) => percentile(lagMs, share));
    return [
      figure("CPU per million events", "s", results, ({ events, cpuMs }) => (cpuMs / events) * 1000),
      lag(0.5),
      lag(0.99),
      added(lag(0.5)),
      added(lag(0.99)),
      figure(
        "streams with other bytes",
        "",
        results,
        ({ bodies }) => bodies.filter((body) => comparable(body) !== whole).length,
      ),
    ];
  },
};
