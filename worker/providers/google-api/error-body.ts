/** Reads Google's error bodies (cloud.google.com/apis/design/errors, google/rpc/error_details.proto). Pure. */
import { z } from "zod";

const MESSAGE_LENGTH_MAX = 300;

const textMap = z.record(z.string(), z.unknown()).catch({});
const detailSchema = z.object({
  "@type": z.string().catch(""),
  reason: z.string().catch(""),
  metadata: textMap,
  retryDelay: z.string().catch(""),
  violations: z.array(z.object({ quotaId: z.string().catch(""), quotaDimensions: textMap })).catch([]),
});
const errorSchema = z.object({
  error: z.object({
    message: z.string().catch(""),
    status: z.string().catch(""),
    details: z.array(detailSchema).catch([]),
  }),
});

export interface GoogleError {
  readonly message: string;
  /** The canonical name, as `RESOURCE_EXHAUSTED`; empty where the body has none. */
  readonly status: string;
  /** As `API_KEY_INVALID`, of its ErrorInfo. */
  readonly reasons: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Of its RetryInfo, as `12.3s`. */
  readonly retryDelay: string | null;
  readonly violations: readonly { readonly quotaId: string; readonly model: string | null }[];
}

/** A stream that is an array wraps even its errors in one. */
function parseBody(bodyText: string): unknown {
  try {
    const body: unknown = JSON.parse(bodyText);
    return Array.isArray(body) ? (body as unknown[])[0] : body;
  } catch {
    return null;
  }
}

/** The words of a body that is no JSON, such as a proxy's page. */
const plainText = (bodyText: string): string =>
  bodyText
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();

export function readGoogleError(bodyText: string): GoogleError {
  const parsed = errorSchema.safeParse(parseBody(bodyText));
  const { message, status, details } = parsed.success
    ? parsed.data.error
    : { message: plainText(bodyText), status: "", details: [] };
  const ofType = (name: string) => details.filter((detail) => detail["@type"].endsWith(`rpc.${name}`));
  const infos = ofType("ErrorInfo");
  return {
    message: message.slice(0, MESSAGE_LENGTH_MAX),
    status,
    reasons: infos.map(({ reason }) => reason),
    metadata: Object.fromEntries(infos.flatMap(({ metadata }) => Object.entries(metadata))),
    retryDelay: ofType("RetryInfo")[0]?.retryDelay ?? null,
    violations: ofType("QuotaFailure")
      .flatMap(({ violations }) => violations)
      .map(({ quotaId, quotaDimensions: { model } }) => ({
        quotaId,
        model: typeof model === "string" ? model : null,
      })),
  };
}
