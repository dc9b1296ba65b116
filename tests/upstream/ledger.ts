/** Remembers the requests seen: a bounded log, and figures by subject. */
import type { Behaviour, Usage } from "./behaviour.ts";
import type { LogEntry, SubjectStats, UsageSums } from "./control-types.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };
export type OpenEntry = Writable<LogEntry> & { isMessages: boolean };
type Figures = Writable<Omit<SubjectStats, "usage">> & { usage: Writable<UsageSums> };

/** About 20 MB with the headers of the usual clients. */
const ENTRIES_MAX = 20_000;
/** A load test may use a fresh credential for each request. */
const SUBJECTS_MAX = 100_000;

/** Where requests go that were seen before a reset. */
const FORGOTTEN = "(forgotten)";

export type Ledger = ReturnType<typeof createLedger>;

export function createLedger() {
  let nextSeq = 0;
  let ring: OpenEntry[] = [];
  const figures = new Map<string, Figures>();

  function figuresOf(subject: string): Figures {
    const known = figures.get(subject);
    if (known !== undefined) return known;
    const oldest = figures.size >= SUBJECTS_MAX ? figures.keys().next() : null;
    if (oldest?.done === false) figures.delete(oldest.value);
    const fresh = emptyFigures();
    figures.set(subject, fresh);
    return fresh;
  }

  return {
    open(
      seen: Pick<LogEntry, "method" | "path" | "headers" | "credential" | "subject">,
      isMessages: boolean,
    ): OpenEntry {
      const entry = { ...BLANK, ...seen, isMessages, seq: nextSeq, receivedAtMs: Date.now() };
      ring[nextSeq % ENTRIES_MAX] = entry;
      nextSeq += 1;
      const subject = figuresOf(seen.subject);
      if (!isMessages) {
        subject.otherRequests += 1;
        return entry;
      }
      subject.requests += 1;
      subject.open += 1;
      subject.openMax = Math.max(subject.openMax, subject.open);
      return entry;
    },

    close(entry: OpenEntry, clientAborted: boolean, status: number | null): void {
      entry.endedAtMs = Date.now();
      entry.clientAborted = clientAborted;
      entry.status = status;
      const subject = figuresOf(entry.subject);
      if (entry.isMessages && subject.open > 0) subject.open -= 1;
      if (clientAborted) subject.clientAborts += 1;
    },

    /** The client has been told the final usage. */
    report(entry: OpenEntry, usage: Usage): void {
      if (entry.usageReported !== null) return;
      entry.usageReported = usage;
      const subject = figuresOf(entry.subject);
      subject.answersInFull += 1;
      addUsage(subject.usage, usage);
    },

    entries(filter: { subject: string | null; afterSeq: number; limit: number }): readonly LogEntry[] {
      const inOrder =
        nextSeq <= ENTRIES_MAX
          ? ring
          : [...ring.slice(nextSeq % ENTRIES_MAX), ...ring.slice(0, nextSeq % ENTRIES_MAX)];
      return inOrder
        .filter((entry) => entry.seq > filter.afterSeq)
        .filter(
          (entry) =>
            filter.subject === null ||
            filter.subject === entry.subject ||
            filter.subject === entry.credential,
        )
        .slice(-filter.limit)
        .map(({ isMessages: _, ...entry }) => entry);
    },

    stats(subject: string | null): Record<string, SubjectStats> {
      return Object.fromEntries(
        [...figures].filter(([name]) => (subject ?? name) === name && name !== FORGOTTEN),
      );
    },

    /** Requests still open go on, and are closed without effect on the new figures. */
    reset(subject: string | null): void {
      for (const entry of ring) {
        if (subject !== null && entry.subject !== subject) continue;
        entry.subject = FORGOTTEN;
        entry.credential = null;
      }
      if (subject !== null) {
        figures.delete(subject);
        return;
      }
      figures.clear();
      ring = [];
      nextSeq = 0;
    },
  };
}

const BLANK = {
  behaviour: null as Behaviour["kind"] | null,
  endedAtMs: null,
  status: null,
  clientAborted: false,
  bodyBytes: 0,
  bodySha256: null,
  body: null,
  usageStarted: null,
  usageReported: null,
};

function emptyFigures(): Figures {
  const usage = {
    inputTokens: 0,
    cacheCreationInputTokens: 0,
    cacheCreation5mInputTokens: 0,
    cacheCreation1hInputTokens: 0,
    cacheReadInputTokens: 0,
    outputTokens: 0,
    webSearchRequests: 0,
  };
  return { requests: 0, otherRequests: 0, open: 0, openMax: 0, answersInFull: 0, clientAborts: 0, usage };
}

function addUsage(sums: Writable<UsageSums>, usage: Usage): void {
  sums.inputTokens += usage.input_tokens;
  sums.cacheCreationInputTokens += usage.cache_creation_input_tokens;
  sums.cacheCreation5mInputTokens += usage.cache_creation.ephemeral_5m_input_tokens;
  sums.cacheCreation1hInputTokens += usage.cache_creation.ephemeral_1h_input_tokens;
  sums.cacheReadInputTokens += usage.cache_read_input_tokens;
  sums.outputTokens += usage.output_tokens;
  sums.webSearchRequests += usage.server_tool_use.web_search_requests;
}
