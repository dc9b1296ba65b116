/** Capturing what one key's requests say, for a limited time: what is ordered, kept and shown. Pure. */
import { z } from "zod";
import { keyIdSchema, requestIdSchema, type EpochMs } from "./ids.ts";

/** Of a request and of an answer each: sealed, it must fit a row of two megabytes. */
export const CAPTURE_BYTES_MAX = 1_000_000;
const MINUTES_MAX = 1440;
const COUNT_MAX = 100;

/** What an admin asks for. */
export const captureInputSchema = z.strictObject({
  keyId: keyIdSchema,
  minutes: z.int().min(1).max(MINUTES_MAX),
  /** Requests. */
  count: z.int().min(1).max(COUNT_MAX).default(20),
  /** What is longer is cut. */
  bytes: z.int().min(1).max(CAPTURE_BYTES_MAX).default(100_000),
});

export const captureSchema = z.object({
  keyId: keyIdSchema,
  startedAt: z.number(),
  /** When it ends by itself, if its count is not reached before. */
  until: z.number(),
  /** When all of it is erased. */
  eraseAt: z.number(),
  count: z.number(),
  bytes: z.number(),
});
export type Capture = Readonly<z.infer<typeof captureSchema>>;

const sizeSchema = z.object({
  /** Of the whole. */
  bytes: z.number(),
  /** Only the beginning was kept. */
  cut: z.boolean(),
});

export const capturedSchema = z.object({
  requestId: requestIdSchema,
  at: z.number(),
  /** The HTTP status that the client got. */
  status: z.number(),
  /** The answer ended as it should, as far as the relay can tell by its stream. */
  whole: z.boolean(),
  request: sizeSchema,
  response: sizeSchema,
});
/** What is known of a captured request without opening it. */
export type Captured = Readonly<z.infer<typeof capturedSchema>>;

/** With what was said. */
export const captureContentSchema = capturedSchema.extend({
  requestText: z.string(),
  responseText: z.string(),
});
export type CaptureContent = Readonly<z.infer<typeof captureContentSchema>>;

/** The beginning of a body, and how long it is. */
export interface BodyBeginning {
  readonly beginning: Uint8Array;
  readonly bytes: number;
}

/** A request and its answer on their way to be kept. */
export interface CaptureDraft {
  readonly requestId: Captured["requestId"];
  readonly at: EpochMs;
  readonly status: number;
  readonly whole: boolean;
  readonly request: BodyBeginning;
  readonly response: BodyBeginning;
}

/** As the key's holder and the admins are told: null where nothing is captured any more. */
export const capturedUntil = (until: EpochMs | null, now: EpochMs): EpochMs | null =>
  until !== null && until > now ? until : null;
