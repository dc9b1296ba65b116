/** What a turn of a coding session costs: a body of 100 kB, answered by a short stream. */
import { answer } from "../../tests/upstream/behaviour.ts";
import { assertSameBytes, figure, forEachTarget, type Scenario } from "../bench.ts";
import { codingTurn } from "../bodies.ts";
import { measureCpu } from "../cpu.ts";
import { closedLoop } from "../load.ts";
import { percentile } from "../statistics.ts";

const CLIENTS = 16;

export const largeBody: Scenario = {
  name: "large-body",
  title: "Coding turn: 100 kB body, stream of 20 events, 16 clients",
  async run(bench) {
    await bench.behave(answer({ events: 20 }));
    const durationMs = bench.quick ? 1000 : 2500;
    const results = await forEachTarget(bench, async (target) => {
      const { result, cpuMs } = await measureCpu(target, () =>
        closedLoop(target, { clients: CLIENTS, durationMs, bodyOf: codingTurn }),
      );
      return { ...result, cpuMs };
    });
    assertSameBytes(results);
    return [
      figure("CPU per coding turn", "ms", results, ({ requests, cpuMs }) => cpuMs / requests),
      figure("coding turns", "/s", results, ({ requests, seconds }) => requests / seconds),
      figure("coding turn, TTFB p50", "ms", results, ({ firstByteMs }) => percentile(firstByteMs, 0.5)),
    ];
  },
};
