/**
 * A person's messages to one account, one after the other: the next may go once the upstream has begun to answer
 * the last one and a pause has passed. Pure.
 */
import type { AccountConfig } from "../../worker/domain/account.ts";
import type { EpochMs, RequestId } from "../../worker/domain/ids.ts";

type Rules = AccountConfig["userTurns"];

export interface Turn {
  /** Whose message is on its way; null: nobody's. */
  readonly holder: RequestId | null;
  /** When a holder that was never heard of again gives way. */
  readonly heldUntil: EpochMs;
  readonly endedAt: EpochMs;
}

export const FREE_TURN: Turn = { holder: null, heldUntil: 0, endedAt: 0 };

/** When the next message may go at the latest, as things are. */
export function turnFreeAt({ holder, heldUntil, endedAt }: Turn, rules: Rules): EpochMs {
  if (rules === null) return 0;
  return holder === null ? endedAt + rules.delayMs : heldUntil;
}

export const takeTurn = (requestId: RequestId, heldUntil: EpochMs): Turn => ({
  holder: requestId,
  heldUntil,
  endedAt: 0,
});

/** The answer has begun, or will never come. */
export const endTurn = (turn: Turn, requestId: RequestId, now: EpochMs): Turn =>
  turn.holder === requestId ? { holder: null, heldUntil: 0, endedAt: now } : turn;
