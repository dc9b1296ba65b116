/** What tests ask of the receivers of notifications; plain types, for both sides of their wire. */

export const RECEIVER_KINDS = [
  "webhook",
  "slack",
  "discord",
  "telegram",
  "feishu",
  "dingtalk",
  "wecom",
  "bark",
  "ntfy",
] as const;
export type ReceiverKind = (typeof RECEIVER_KINDS)[number];

export interface Receivers {
  readonly url: string;
  /** Mail servers: one with STARTTLS, one that begins with TLS, one that has neither, one with another's certificate. */
  readonly mail: Readonly<Record<"starttls" | "tls" | "plain" | "wrong", number>>;
}

/** What the mail servers know their users by. */
export const MAIL_USER = { username: "relay@example.com", password: "mail-password-ä:1" } as const;

/** The secret of a receiver that checks signatures. */
export const SIGNING_SECRET = "signing-secret-of-the-receivers";
/** The token of one that checks those. */
export const ACCESS_TOKEN = "tk_access-token-of-the-receivers";

/** How a box meets what comes next. */
export interface Mood {
  readonly kind: "takes" | "down" | "redirects" | "echoes";
  /** So many messages; then it takes them again. */
  readonly count?: number;
}

/** A message as a box got it. */
export interface Received {
  /** What its kind's rules say against it; null: it is as it should be. */
  readonly problem: string | null;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed, where it is JSON; of a mail its whole text. */
  readonly body: unknown;
  /** It was answered as an error. */
  readonly refused: boolean;
}
