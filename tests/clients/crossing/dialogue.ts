/** A conversation with a model as somebody has it with a vendor's SDK, in no vendor's words. */
import type { ProtocolId } from "../../../worker/domain/protocol-id.ts";

export interface HeardCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

/** One answer, as the SDK has read it. */
export interface Heard {
  readonly text: string;
  readonly calls: readonly HeardCall[];
  /** Why it ended, in the vendor's word. */
  readonly finish: string | null | undefined;
  /** In all, caches and reasoning included. */
  readonly tokens: { readonly input: number; readonly output: number };
}

export interface Output {
  readonly call: HeardCall;
  readonly text: string;
}

/** Keeps the history as its SDK proposes, and offers the shell tool each time. */
export interface Dialogue {
  /** @param picture a PNG in base64 */
  say(text: string, picture?: string): Promise<Heard>;
  handIn(outputs: readonly Output[]): Promise<Heard>;
}

export interface Place {
  readonly relayUrl: string;
  readonly key: string;
  readonly stream: boolean;
}

/** An SDK in one of its dialects. */
export interface Speaker {
  readonly title: string;
  readonly protocol: ProtocolId;
  /** The model that it asks for, whoever answers. */
  readonly model: string;
  /** The word for an answer that has come to its end, and for one that waits for its calls. */
  readonly finishes: { readonly end: string; readonly calls: string };
  begin(place: Place): Dialogue;
}

export const CALL_TIMEOUT_MS = 30_000;

export const SHELL = {
  name: "shell",
  description: "Runs a command.",
  schema: {
    type: "object" as const,
    properties: { command: { type: "string" } },
    required: ["command"],
    additionalProperties: false,
  },
};
