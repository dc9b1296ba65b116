/**
 * Hands what has happened to the notifier. Nobody waits for it: the caller gives the promise to `waitUntil`. What is
 * told is lost if the caller, or the notifier, dies before it is kept; from then on it is sent until it arrives.
 */
import { NOTIFIER_NAME } from "../../durable-objects/notifier/contract.ts";
import type { Signal } from "../domain/notice.ts";
import type { Env } from "../env.ts";

export const notifier = (env: Pick<Env, "NOTIFIER">) =>
  env.NOTIFIER.get(env.NOTIFIER.idFromName(NOTIFIER_NAME));

/** Never throws: that something cannot be told must not become a failure of its own. */
export async function tell(env: Pick<Env, "NOTIFIER">, signals: readonly Signal[]): Promise<void> {
  try {
    await notifier(env).take(signals);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const kinds = signals.map(({ notice }) => notice.kind);
    console.error(JSON.stringify({ event: "notice_lost", kinds, message }));
  }
}
