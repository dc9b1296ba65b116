/** JSON requests per second with many clients, and what a request costs then. */
import { answer } from "../../tests/upstream/behaviour.ts";
import { assertSameBytes, figure, forEachTarget, type Bench, type Figure, type Scenario } from "../bench.ts";
import { question } from "../bodies.ts";
import { measureCpu } from "../cpu.ts";
import { closedLoop } from "../load.ts";
import { percentile } from "../statistics.ts";

async function measure(bench: Bench, clients: number): Promise<Figure[]> {
  const durationMs = bench.quick ? 1000 : 2500;
  const body = question({ stream: false });
  const results = await forEachTarget(bench, async (target) => {
    const { result, cpuMs } = await measureCpu(target, () =>
      closedLoop(target, { clients, durationMs, bodyOf: () => body }),
    );
    return { ...result, cpuMs };
  });
  assertSameBytes(results);
  const at = `at ${String(clients)}`;
  return [
    figure(`JSON requests ${at}`, "/s", results, ({ requests, seconds }) => requests / seconds),
    figure(`CPU per request ${at}`, "ms", results, ({ requests, cpuMs }) => cpuMs / requests),
    figure(`TTFB p50 ${at}`, "ms", results, ({ firstByteMs }) => percentile(firstByteMs, 0.5)),
    figure(`TTFB p99 ${at}`, "ms", results, ({ firstByteMs }) => percentile(firstByteMs, 0.99)),
  ];
}

export const throughput: Scenario = {
  name: "throughput",
  title: "JSON requests, closed loop",
  async run(bench) {
    await bench.behave(answer());
    return [...(await measure(bench, 32)), ...(await measure(bench, 128))];
  },
};
