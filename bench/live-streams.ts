/** Many slow streams at once, as people read them: how late each event is, and whether every byte came. */
import { setTimeout as sleep } from "node:timers/promises";
import { SEND_TIME_PATTERN } from "../tests/upstream/behaviour.ts";
import { question, type Ask } from "./bodies.ts";
import { Connection, encodeRequest } from "./connection.ts";
import { cpuMs } from "./process-stats.ts";
import type { Target } from "./targets.ts";

export interface LiveLoad {
  readonly streams: number;
  readonly events: number;
  readonly intervalMs: number;
  /** The streams start evenly over this time, and what happens in it is not counted. */
  readonly startMs: number;
  /** Otherwise a question to Claude. */
  readonly ask?: Ask;
}

export interface LiveResult {
  /** Events that came while all streams ran, and the CPU time that the target took for them. */
  readonly events: number;
  readonly cpuMs: number;
  /** Of each of these events: from the upstream's sending to our receiving it. */
  readonly lagMs: readonly number[];
  readonly bodies: readonly string[];
}

const SEND_TIMES = new RegExp(SEND_TIME_PATTERN, "g");
const MESSAGE_ID = /"msg_\w+"/;

/** A body without what differs from one stream to the next: the send times and the message's id. */
export const comparable = (body: string): string => body.replace(SEND_TIMES, "t").replace(MESSAGE_ID, "id");

/** The fake upstream's clock, which is this machine's too. */
const clock = (): number => performance.timeOrigin + performance.now();

export async function liveStreams(target: Target, load: LiveLoad): Promise<LiveResult> {
  const { body, path } = load.ask ?? { body: question({ stream: true }) };
  const request = encodeRequest(target, body, path);
  const lagMs: number[] = [];
  let counting = false;
  const follow = async (index: number): Promise<string> => {
    await sleep((index / load.streams) * load.startMs);
    const connection = await Connection.open(target);
    const pieces: string[] = [];
    const { status } = await connection.send(request, (bytes) => {
      const receivedAt = clock();
      // Latin-1 keeps every byte apart, and is the cheapest text there is.
      const piece = bytes.toString("latin1");
      pieces.push(piece);
      if (!counting) return;
      for (const [, sentAt] of piece.matchAll(SEND_TIMES)) lagMs.push(receivedAt - Number(sentAt));
    });
    connection.close();
    if (status !== 200) throw new Error(`${target.name} answered ${String(status)}`);
    return pieces.join("");
  };
  const count = async (): Promise<number> => {
    await sleep(load.startMs);
    const before = cpuOf(target);
    counting = true;
    await sleep(load.events * load.intervalMs - load.startMs);
    counting = false;
    return cpuOf(target) - before;
  };
  const [cpu, ...bodies] = await Promise.all([
    count(),
    ...Array.from({ length: load.streams }, (_, index) => follow(index)),
  ]);
  return { events: lagMs.length, cpuMs: cpu, lagMs, bodies };
}

const cpuOf = ({ pid }: Target): number => (pid === null ? NaN : cpuMs(pid));
