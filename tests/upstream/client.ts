/** Controls a running fake upstream over HTTP; the same from Node and from inside workerd. */
import type { Behaviour } from "./behaviour.ts";
import type { BehaviourOrder, LogEntry, OAuthSeed, Stats, SubjectStats } from "./control-types.ts";

export type UpstreamControl = ReturnType<typeof upstreamControl>;

/** How often `idle` and `until` look. */
const POLL_MS = 5;
const WAIT_MAX_MS = 5_000;

export function upstreamControl(url: string) {
  const call = (path: string, body?: unknown) => controlCall(`${url}/__control/${path}`, body);

  async function log(subject?: string): Promise<readonly LogEntry[]> {
    const reply = await call(`log${query(subject)}`);
    return (reply as { entries: readonly LogEntry[] }).entries;
  }

  async function stats(subject?: string): Promise<Stats> {
    return (await call(`stats${query(subject)}`)) as Stats;
  }

  async function statsOf(subject: string): Promise<SubjectStats> {
    return (await stats(subject)).subjects[subject] ?? NOTHING_SEEN;
  }

  /** Asks until `reached` says yes; throws after `WAIT_MAX_MS`. */
  async function until(subject: string, reached: (stats: SubjectStats) => boolean): Promise<SubjectStats> {
    const deadlineMs = Date.now() + WAIT_MAX_MS;
    while (Date.now() < deadlineMs) {
      const current = await statsOf(subject);
      if (reached(current)) return current;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error(`the upstream did not reach the state awaited for ${subject} in ${WAIT_MAX_MS} ms`);
  }

  return {
    url,
    log,
    stats,
    statsOf,
    until,

    /** One behaviour: stands until changed. Several: one for each of the next requests, then back to normal. */
    async set(subject: string, behaviour: Behaviour | readonly Behaviour[] | null): Promise<void> {
      await call(
        "behaviour",
        isList(behaviour) ? { subject, queue: behaviour } : { subject, standing: behaviour },
      );
    },

    /** The next `times` requests do this. */
    async next(subject: string, behaviour: Behaviour, times = 1): Promise<void> {
      await call("behaviour", { subject, queue: Array.from({ length: times }, () => behaviour) });
    },

    async order(order: BehaviourOrder): Promise<void> {
      await call("behaviour", order);
    },

    /** Without a subject: for everybody. */
    async recordBodies(subject?: string): Promise<void> {
      if (subject === undefined) await call("record", { bodies: true });
      else await call("behaviour", { subject, recordBodies: true });
    },

    async release(gate: string): Promise<void> {
      await call("release", { gate });
    },

    async seedOAuth(seed: OAuthSeed): Promise<void> {
      await call("oauth", seed);
    },

    async reset(subject?: string): Promise<void> {
      await call("reset", subject === undefined ? {} : { subject });
    },

    /** Waits until no request of the subject is open any more. */
    async idle(subject: string): Promise<SubjectStats> {
      return await until(subject, (current) => current.open === 0);
    },
  };
}

const NOTHING_SEEN: SubjectStats = {
  requests: 0,
  otherRequests: 0,
  open: 0,
  openMax: 0,
  answersInFull: 0,
  clientAborts: 0,
  usage: {
    inputTokens: 0,
    cacheCreationInputTokens: 0,
    cacheCreation5mInputTokens: 0,
    cacheCreation1hInputTokens: 0,
    cacheReadInputTokens: 0,
    outputTokens: 0,
    webSearchRequests: 0,
  },
};

function isList(behaviour: Behaviour | readonly Behaviour[] | null): behaviour is readonly Behaviour[] {
  return Array.isArray(behaviour);
}

function query(subject: string | undefined): string {
  return subject === undefined ? "" : `?subject=${encodeURIComponent(subject)}`;
}

async function controlCall(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return await response.json();
}
