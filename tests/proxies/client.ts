/** Talks to the proxy lab; the same from Node and from inside workerd. */
import type { Lab, ProxyOrder, StartedProxy } from "./orders.ts";

export function proxyLab(url: string) {
  async function ask<Answer>(path: string, body?: unknown): Promise<Answer> {
    const answer = await fetch(`${url}/${path}`, {
      method: "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    const value: unknown = await answer.json();
    return value as Answer;
  }
  return {
    lab: () => ask<Lab>("lab"),
    /** How many TCP connections the watched port has seen, from whomever. */
    connections: () => ask<number>("connections"),
    start: (order: Omit<ProxyOrder, "certificates">) => ask<StartedProxy>("start", order),
    /** At once, with every connection it has. */
    kill: ({ id }: StartedProxy) => ask<null>(`kill/${String(id)}`),
  };
}
