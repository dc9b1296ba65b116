/** The interface of a kind of channel: what varies between receivers, and nothing more. Pure. */
import { type z } from "zod";
import type { EpochMs } from "../domain/ids.ts";
import { parseJson } from "../domain/json.ts";
import type { Notice } from "../domain/notice.ts";
import type { Receipt } from "../domain/notification-channel.ts";
import type { Mail } from "../net/smtp/dialogue.ts";

/** A message ready to go: what there is left to do is to send it. */
export type Message = HttpMessage | MailMessage;

export interface HttpMessage {
  readonly kind: "http";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type MailMessage = Mail & { readonly kind: "mail" };

/** What a receiver answered. */
export interface Answer {
  readonly status: number;
  /** The beginning of the body. */
  readonly text: string;
  readonly retryAfter: string | null;
}

type Judgement = Pick<Receipt, "ok" | "message">;

interface ChannelSpec<Schema extends z.ZodObject> {
  readonly id: string;
  readonly label: string;
  /** An object of strings and the like; the admin's form is drawn from it. */
  readonly settingsSchema: Schema;
  /** Settings that are sealed, and shown masked only. */
  readonly secrets: readonly (keyof z.output<Schema> & string)[];
  /** Deterministic for a fixed time. */
  render(settings: z.output<Schema>, notice: Notice, now: EpochMs): Promise<Message>;
  /** Where a receiver hides a refusal in a 200; absent: any 2xx is a success. */
  readonly judge?: (answer: Answer) => Judgement;
}

export type Rendered =
  | { readonly kind: "rendered"; readonly message: Message; readonly judge: (answer: Answer) => Judgement }
  | { readonly kind: "invalid"; readonly message: string };

export type ParsedSettings =
  | { readonly kind: "valid"; readonly settings: Readonly<Record<string, unknown>> }
  | { readonly kind: "invalid"; readonly message: string };

/** A kind of channel, whatever its settings are. */
export interface Channel {
  readonly id: string;
  readonly label: string;
  readonly settingsSchema: z.ZodObject;
  readonly secrets: readonly string[];
  parse(settings: unknown): ParsedSettings;
  render(settings: unknown, notice: Notice, now: EpochMs): Promise<Rendered>;
}

const isSuccess = (status: number) => status >= 200 && status < 300;

/** Any 2xx will do. */
const judgeByStatus = ({ status }: Answer): Judgement =>
  isSuccess(status)
    ? { ok: true, message: "The receiver took the message." }
    : { ok: false, message: `The receiver answered HTTP ${String(status)}.` };

/** @param wasTaken whether the body says so; its schema fails on anything else */
export const judgeByBody =
  (wasTaken: z.ZodType) =>
  (answer: Answer): Judgement => {
    if (!isSuccess(answer.status)) return judgeByStatus(answer);
    return wasTaken.safeParse(parseJson(answer.text)).success
      ? { ok: true, message: "The receiver took the message." }
      : { ok: false, message: "The receiver answered 200 and refused the message in it." };
  };

const problemsOf = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => ["settings", ...path].join(".") + `: ${message}`).join("; ");

export function defineChannel<Schema extends z.ZodObject>(spec: ChannelSpec<Schema>): Channel {
  const { id, label, settingsSchema, secrets } = spec;
  return {
    id,
    label,
    settingsSchema,
    secrets,
    parse(settings) {
      const result = settingsSchema.safeParse(settings);
      return result.success
        ? { kind: "valid", settings: result.data }
        : { kind: "invalid", message: problemsOf(result.error) };
    },
    async render(settings, notice, now) {
      const result = settingsSchema.safeParse(settings);
      if (!result.success) return { kind: "invalid", message: problemsOf(result.error) };
      const message = await spec.render(result.data, notice, now);
      return { kind: "rendered", message, judge: spec.judge ?? judgeByStatus };
    },
  };
}
