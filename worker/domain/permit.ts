/** A key's granted entry for one request, and what a key's object answers. Pure. */
import type { ClientIdentity } from "./client-identity.ts";
import type { ErrorFacts } from "./errors.ts";
import type { EpochMs, RequestId } from "./ids.ts";
import type { NanoDollars } from "./money.ts";
import type { ProtocolId } from "./protocol-id.ts";
import type { Service } from "./service.ts";
import { totalTokens, type UsageRecord } from "./usage.ts";
import type { Warrant } from "./warrant.ts";

/** What a request may consume at most, as far as one can tell before it runs. */
export interface Estimate {
  readonly tokens: number;
  /** At list price. */
  readonly cost: NanoDollars;
}

export const NO_ESTIMATE: Estimate = { tokens: 0, cost: 0 };

export interface AdmitRequest {
  readonly requestId: RequestId;
  readonly startedAt: EpochMs;
  readonly protocol: ProtocolId;
  readonly service: Service;
  /** Of the key text that the client sent. */
  readonly fingerprint: string;
  readonly caller: ClientIdentity;
  readonly model: string;
  readonly stream: boolean;
  /** False for calls that are not metered (counting tokens): checked, but no permit is made. */
  readonly metered: boolean;
  readonly estimate: Estimate;
}

export interface Admitted {
  readonly kind: "admitted";
  /** The key's last slot: others may be refused until it comes back. */
  readonly scarce: boolean;
  /** Time spent in the key's queue, in ms. */
  readonly waitedMs: number;
  /** Where a running stream must ask for more or end; null: nowhere. In nano-dollars at list price. */
  readonly allowance: NanoDollars | null;
  /** The key's holder may see how its requests are routed. */
  readonly explain: boolean;
  /** For like requests: of the same key text, service, client and model. null: each must ask. */
  readonly warrant: Warrant | null;
}

export type AdmitDecision = Admitted | { readonly kind: "refused"; readonly error: ErrorFacts };

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
  /** What the key's counters need of the record. */
  readonly model: string;
  readonly service: Service;
  readonly tokens: number;
  /** Nano-dollars. */
  readonly cost: number;
  readonly record: string;
}

/** What counters need of a record. */
const countsOf = ({ requestId, model, tokens, cost }: UsageRecord, service: Service) => ({
  requestId,
  model,
  service,
  tokens: totalTokens(tokens),
  cost,
});

export const settlementOf = (record: UsageRecord, service: Service): Settlement => ({
  ...countsOf(record, service),
  record: JSON.stringify(record),
});

/** For a purse, which books nothing. */
export const countOnly = (record: UsageRecord, service: Service): Settlement => ({
  ...countsOf(record, service),
  record: "",
});
