/** Sends one message to one receiver, once, to allowed targets only and without redirects. */
import { RelayError } from "../domain/errors.ts";
import type { EpochMs } from "../domain/ids.ts";
import { cutLine, quoted, type Notice } from "../domain/notice.ts";
import type { Receipt } from "../domain/notification-channel.ts";
import { assertAllowedHost, assertAllowedTarget } from "../net/guard.ts";
import { MailError } from "../net/smtp/dialogue.ts";
import { sendMail } from "../net/smtp/send-mail.ts";
import type { Answer, Channel, HttpMessage, Message, Rendered } from "./channel.ts";

const TIMEOUT_MS = 10_000;
/** A mail server looks its clients up, and says little until it has. */
const MAIL_TIMEOUT_MS = 30_000;
/** Enough of an answer to judge it. */
const ANSWER_BYTES_MAX = 4096;
const ERROR_LENGTH_MAX = 400;

export interface Sending {
  readonly channel: Channel;
  /** With the secrets in it. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly notice: Notice;
  readonly now: EpochMs;
  readonly allowPrivate: boolean;
}

const failed = (message: string): Receipt => ({ ok: false, status: null, message, retryAfterMs: null });

/** @throws RelayError `invalid_request` when the message would go where none may */
export function assertAllowedReceiver(message: Message, allowPrivate: boolean): void {
  if (message.kind === "http") assertAllowedTarget(message.url, allowPrivate);
  else assertAllowedHost(message.server.host, allowPrivate);
}

/** Never throws: whatever goes wrong is in the receipt. */
export async function send(sending: Sending): Promise<Receipt> {
  const { channel, settings, notice, now, allowPrivate } = sending;
  const rendered = await channel.render(settings, notice, now);
  if (rendered.kind === "invalid") return failed(rendered.message);
  try {
    assertAllowedReceiver(rendered.message, allowPrivate);
    return withoutSecrets(await transmit(rendered, allowPrivate), sending);
  } catch (error) {
    return failed(messageOf(error));
  }
}

/** What `fetch` throws may name the address, which may be a secret. */
function messageOf(error: unknown): string {
  if (error instanceof RelayError || error instanceof MailError) return error.message;
  const isLate = error instanceof Error && error.name === "TimeoutError";
  return isLate ? "The receiver did not answer in time." : "The receiver could not be reached.";
}

async function transmit(
  { message, judge }: Extract<Rendered, { kind: "rendered" }>,
  allowPrivate: boolean,
): Promise<Receipt> {
  if (message.kind === "mail") {
    await sendMail(message, allowPrivate, MAIL_TIMEOUT_MS);
    return { ok: true, status: null, message: "The mail server took the message.", retryAfterMs: null };
  }
  const answer = await post(message);
  const { ok, message: judged } = judge(answer);
  return {
    ok,
    status: answer.status,
    message: ok || answer.text === "" ? judged : `${judged} It said: ${answer.text}`,
    retryAfterMs: retryAfterMsOf(answer),
  };
}

async function post({ url, headers, body }: HttpMessage): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "user-agent": "edge-relay", ...headers },
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await beginningOf(response);
  return { status: response.status, text, retryAfter: response.headers.get("retry-after") };
}

async function beginningOf(response: Response): Promise<string> {
  if (response.body === null) return "";
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; bytes < ANSWER_BYTES_MAX;) {
    const { value, done } = await reader.read();
    if (done) return text;
    bytes += value.length;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}

const HOUR_MS = 3_600_000;

function retryAfterMsOf({ retryAfter }: Answer): number | null {
  const seconds = Number(retryAfter ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(HOUR_MS, seconds * 1000) : null;
}

/** A receiver may say back what it was sent. */
function withoutSecrets(receipt: Receipt, { channel, settings }: Sending): Receipt {
  const secrets = channel.secrets
    .map((name) => settings[name])
    .filter((secret): secret is string => typeof secret === "string" && secret !== "")
    .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
  const masked = secrets.reduce((message, secret) => message.replaceAll(secret, "[secret]"), receipt.message);
  return { ...receipt, message: cutLine(receipt.ok ? masked : quoted(masked), ERROR_LENGTH_MAX) };
}
