/** Reads an error body of OpenAI's API, of Azure's and of the ChatGPT backend. Pure. */
import { isObject, type Json } from "../../domain/json.ts";

const TEXT_LENGTH_MAX = 300;

export interface ErrorBody {
  readonly message: string;
  /** What it names as its code and its type, in lower case; empty where there is neither. */
  readonly names: readonly string[];
  readonly resetsInSeconds: number | null;
  /** Epoch seconds. */
  readonly resetsAtSeconds: number | null;
}

const numberOrNull = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

function parse(text: string): Json {
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : {};
  } catch {
    return {};
  }
}

/** An HTML page or a cut body is its own message. */
const plainText = (text: string) =>
  text
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();

export function readErrorBody(bodyText: string): ErrorBody {
  const body = parse(bodyText);
  // `detail` is the ChatGPT backend's, sometimes with an error of its own inside.
  const error = [body.error, body.detail].find(isObject) ?? {};
  const message = [error.message, body.detail, body.message, body.error].find(
    (text) => typeof text === "string",
  );
  return {
    message: (message ?? plainText(bodyText)).slice(0, TEXT_LENGTH_MAX),
    names: [error.code, error.type]
      .filter((name) => typeof name === "string")
      .map((name) => name.slice(0, TEXT_LENGTH_MAX).toLowerCase()),
    resetsInSeconds: numberOrNull(error.resets_in_seconds ?? error.resets_in),
    resetsAtSeconds: numberOrNull(error.resets_at),
  };
}
