/** How long a lone client waits for the first byte of its answer. */
import { answer } from "../../tests/upstream/behaviour.ts";
import {
  added,
  assertSameBytes,
  figure,
  forEachTarget,
  type Bench,
  type Figure,
  type Scenario,
} from "../bench.ts";
import { question } from "../bodies.ts";
import { closedLoop } from "../load.ts";
import { percentile } from "../statistics.ts";

async function measure(bench: Bench, stream: boolean): Promise<Figure[]> {
  const durationMs = bench.quick ? 500 : 1500;
  const body = question({ stream });
  const results = await forEachTarget(bench, (target) =>
    closedLoop(target, { clients: 1, durationMs, bodyOf: () => body }),
  );
  assertSameBytes(results);
  const kind = stream ? "SSE" : "JSON";
  const [p50, p99] = [0.5, 0.99].map((share) =>
    figure(`${kind} TTFB p${String(share * 100)}`, "ms", results, ({ firstByteMs }) =>
      percentile(firstByteMs, share),
    ),
  );
  return [p50, p99].flatMap((each) => (each === undefined ? [] : [each, added(each)]));
}

export const firstByte: Scenario = {
  name: "first-byte",
  title: "Time to first byte, one request at a time",
  async run(bench) {
    await bench.behave(answer({ events: 20 }));
    return [...(await measure(bench, false)), ...(await measure(bench, true))];
  },
};
