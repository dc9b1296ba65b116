/** One request on its way, as its worker knows it and as the checks follow it. */
import type { AccountId, Affinity, EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type { AccountRoom } from "./account-room.ts";
import type { Isolate } from "./isolate.ts";
import type { KeyRoom } from "./key-room.ts";
import type { Session } from "./pool.ts";
import type { Life } from "./tasks.ts";

export interface Journey {
  readonly requestId: RequestId;
  readonly number: number;
  readonly startedAt: EpochMs;
  readonly key: KeyRoom;
  readonly isolate: Isolate;
  readonly session: Session;
  readonly model: string;
  /** Of the session, in the model's family; null without one. */
  readonly affinity: Affinity | null;
  /** False: counts tokens, which takes neither permit nor slot. */
  readonly isMetered: boolean;
  readonly isUserTurn: boolean;
  readonly life: Life;

  isClientGone: boolean;
  /** What the client's leaving sets off now. */
  onGone: (() => void) | null;
  isClosed: boolean;
  /** Its news do not wait to be gathered. */
  isUrgent: boolean;
  /** The account that the request went to last, as its booking knows it: the one whose lease is renewed. */
  bookedAccount: AccountId | null;
  /** What its answer has cost so far. */
  reading: () => Consumed;

  /** The account that is being asked for a lease. */
  asking: AccountId | null;
  /** Between the grant and the moment when the worker is done with the account, or dead. */
  use: Use | null;
  /** It asked its key and has not closed its books. */
  isWaitingForPermit: boolean;
  permit: HeldPermit | null;
}

export interface Consumed {
  readonly tokens: number;
  /** Nano-dollars at list price. */
  readonly cost: number;
}

export interface Use {
  readonly account: AccountRoom;
  heardAt: EpochMs;
  /** It does not count against the slots any more: see the promises in `account-checks.ts`. */
  isExcused: boolean;
}

export interface HeldPermit {
  heardAt: EpochMs;
  isExcused: boolean;
}
