/** A key's granted entry for one request, and what a key's object answers. Pure. */
import type { ErrorFacts } from "./errors.ts";
import type { EpochMs, RequestId } from "./ids.ts";
import type { ProtocolId } from "./protocol-id.ts";
import { totalTokens, type UsageRecord } from "./usage.ts";

export interface AdmitRequest {
  readonly requestId: RequestId;
  readonly startedAt: EpochMs;
  readonly protocol: ProtocolId;
  readonly model: string;
  readonly stream: boolean;
  /** False for calls that are not metered (counting tokens): checked, but no permit is made. */
  readonly metered: boolean;
}

export type AdmitDecision =
  | {
      readonly kind: "admitted";
      /** The key's last slot: others may be refused until it comes back. */
      readonly scarce: boolean;
    }
  | { readonly kind: "refused"; readonly error: ErrorFacts };

/** Keeps a permit alive and replaces what would be booked if the worker died. */
export interface Checkpoint {
  readonly draft: UsageRecord;
}

/**
 * A finished request on its way to the ledger. The record travels as JSON text: it is written once by the worker
 * and read once by the ledger, and every hop between them only passes it on.
 */
export interface Settlement {
  readonly requestId: RequestId;
  /** All tokens of the record, and its cost in nano-dollars: what the key's counters need. */
  readonly tokens: number;
  readonly cost: number;
  readonly record: string;
}

export const settlementOf = (record: UsageRecord): Settlement => ({
  requestId: record.requestId,
  tokens: totalTokens(record.tokens),
  cost: record.cost,
  record: JSON.stringify(record),
});
