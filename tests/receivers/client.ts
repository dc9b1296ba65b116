/** Talks to the receivers of notifications; the same from Node and from inside workerd. */
import type { Mood, Received, Receivers } from "./orders.ts";

export function receiversAt(url: string) {
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
    receivers: () => ask<Receivers>("_receivers"),
    received: (box: string) => ask<Received[]>(`_box/${box}`),
    setMood: (box: string, mood: Mood) => ask<null>(`_mood/${box}`, mood),
  };
}
