/** What a thousand open streams weigh in a worker that was just started. */
import { setTimeout as sleep } from "node:timers/promises";
import { answer } from "../../tests/upstream/behaviour.ts";
import { figure, type Bench, type Scenario } from "../bench.ts";
import { question } from "../bodies.ts";
import { Connection, encodeRequest } from "../connection.ts";
import { settle } from "../cpu.ts";
import { closedLoop } from "../load.ts";
import { residentMb } from "../process-stats.ts";
import { WORKER_NAMES, type Target, type TargetName } from "../targets.ts";

const STREAMS = 1000;
const OPENING_MS = 2000;
const SAMPLE_MS = 200;

interface Weight {
  readonly before: number;
  readonly peak: number;
  readonly settled: number;
}

/** Opens the streams and keeps them. @returns how to end them */
async function openStreams(target: Target): Promise<() => void> {
  const request = encodeRequest(target, question({ stream: true }));
  const opened = await Promise.all(
    Array.from({ length: STREAMS }, async (_, index) => {
      await sleep((index / STREAMS) * OPENING_MS);
      const connection = await Connection.open(target);
      const first = Promise.withResolvers<undefined>();
      // It ends when we close it; until then only its first byte matters.
      connection
        .send(request, () => {
          first.resolve(undefined);
        })
        .catch((error: unknown) => {
          first.reject(error);
        });
      await first.promise;
      return connection;
    }),
  );
  return () => {
    for (const connection of opened) connection.close();
  };
}

async function weigh(target: Target, pid: number, holdMs: number): Promise<Weight> {
  await closedLoop(target, { clients: 8, durationMs: 300, bodyOf: () => question({ stream: false }) });
  await settle(target);
  const before = residentMb(pid);
  let peak = before;
  const sampling = setInterval(() => {
    peak = Math.max(peak, residentMb(pid));
  }, SAMPLE_MS);
  const end = await openStreams(target);
  await sleep(holdMs);
  clearInterval(sampling);
  const settled = residentMb(pid);
  end();
  return { before, peak, settled };
}

async function weighFresh(bench: Bench, name: (typeof WORKER_NAMES)[number]): Promise<Weight> {
  const target = await bench.startFresh(name);
  try {
    return await weigh(target, target.pid ?? NaN, bench.quick ? 3000 : 8000);
  } finally {
    await target.stop();
  }
}

export const memory: Scenario = {
  name: "memory",
  title: `Memory of ${String(STREAMS)} open streams, an event a second, fresh process`,
  async run(bench) {
    await bench.behave(answer({ events: 60, eventIntervalMs: 1000 }));
    const results = new Map<TargetName, Weight>();
    for (const name of WORKER_NAMES) results.set(name, await weighFresh(bench, name));
    return [
      figure("resident before", "MB", results, ({ before }) => before),
      figure("streams, peak", "MB", results, ({ before, peak }) => peak - before),
      figure("streams, settled", "MB", results, ({ before, settled }) => settled - before),
    ];
  },
};
