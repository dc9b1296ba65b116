/** An item of the output while it is being said to a client. Pure. */
import type { JsonObject } from "../../neutral.ts";
import type { ClientTool } from "./client-tools.ts";
import type { InputReading } from "./custom-input.ts";

/** An event without its number, which it gets when it is sent. */
export type WireEvent = { readonly type: string } & JsonObject;

/** An item that is being said. */
export interface OpenItem {
  readonly form: FormId;
  readonly id: string;
  /** `output_index`. */
  readonly at: number;
  /** All that was told of it, for the events and the answer that repeat it. */
  readonly text: string;
  /** Thinking: its one summary was announced. */
  readonly hasSummary: boolean;
  /** As the client gives it back: `encrypted_content`. */
  readonly encrypted: string | null;
  readonly call: { readonly id: string; readonly tool: ClientTool } | null;
  readonly input: InputReading;
}

export type FormId = "text" | "refusal" | "thinking" | ClientTool["kind"];
export type Status = "in_progress" | "completed";
export type Told = readonly [OpenItem, readonly WireEvent[]];

/** How one kind of item is told. */
export interface Form {
  readonly idPrefix: string;
  item(item: OpenItem, status: Status): JsonObject;
  /** After `output_item.added`. */
  opened(item: OpenItem): Told;
  told(item: OpenItem, text: string): Told;
  /** Before `output_item.done`. */
  closed(item: OpenItem): Told;
}

export const placeOf = ({ id, at }: OpenItem) => ({ item_id: id, output_index: at });
export const withText = (item: OpenItem, text: string): OpenItem => ({ ...item, text: item.text + text });
