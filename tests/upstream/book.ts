/** Which behaviour the next request of a subject gets: its queue, then its standing one, then an answer. */
import type { Behaviour } from "./behaviour.ts";
import type { BehaviourOrder, Endpoint } from "./control-types.ts";

type Page = { queue: Behaviour[]; standing: Behaviour | null };

export type Book = ReturnType<typeof createBook>;

const NORMAL: Behaviour = { kind: "answer" };

export function createBook() {
  const pages = new Map<string, Page>();
  const strictPrefixes = new Set<string>();
  const recorded = new Set<string>();

  return {
    write(order: BehaviourOrder): void {
      if (order.strict === true) strictPrefixes.add(order.subject);
      if (order.strict === false) strictPrefixes.delete(order.subject);
      if (order.recordBodies === true) recorded.add(order.subject);
      if (order.recordBodies === false) recorded.delete(order.subject);
      if (order.queue === undefined && order.standing === undefined) return;
      const key = pageKey(order.subject, order.endpoint ?? "messages");
      const page = pages.get(key) ?? { queue: [], standing: null };
      pages.set(key, page);
      page.queue.push(...(order.queue ?? []));
      if (order.standing !== undefined) page.standing = order.standing;
    },

    take(subject: string, endpoint: Endpoint): Behaviour {
      const page = pages.get(pageKey(subject, endpoint));
      if (page === undefined) return NORMAL;
      return page.queue.shift() ?? page.standing ?? NORMAL;
    },

    isRecorded(subject: string): boolean {
      return recorded.has(subject);
    },

    /** Whether strictness forbids a credential that nobody has introduced. */
    refuses(credential: string): boolean {
      for (const prefix of strictPrefixes) {
        if (credential.startsWith(prefix)) return !pages.has(pageKey(credential, "messages"));
      }
      return false;
    },

    reset(subject: string | null): void {
      if (subject === null) {
        pages.clear();
        strictPrefixes.clear();
        recorded.clear();
        return;
      }
      for (const endpoint of ["messages", "count_tokens", "models"] as const)
        pages.delete(pageKey(subject, endpoint));
      strictPrefixes.delete(subject);
      recorded.delete(subject);
    },
  };
}

function pageKey(subject: string, endpoint: Endpoint): string {
  return `${endpoint} ${subject}`;
}
