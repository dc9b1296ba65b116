/** Reads of a call only what the relay needs; everything else passes through unseen. Pure. */
import { RelayError } from "../../domain/errors.ts";
import { topLevelFields, type FieldRange } from "../json-fields.ts";
import {
  affinityOf,
  openingItems,
  outputTokensMaxOf,
  parseBasics,
  requireFields,
  type Fields,
} from "../openai/parse.ts";
import type { ClientCall, ParsedCall } from "../protocol.ts";

const OPEN_BRACKET = 0x5b;
const CHAT = /\/chat\/completions$/;
const EMBEDDINGS = /\/embeddings$/;

export const isChat = ({ path }: Pick<ClientCall, "path">): boolean => CHAT.test(path);

export function parseChatCall(call: ClientCall): ParsedCall {
  const fields = topLevelFields(call.body);
  const basics = parseBasics(call.body, fields);
  if (!isChat(call)) {
    // The events of a picture are larger than any that the relay looks into, so its usage would be lost.
    if (basics.stream)
      throw new RelayError("invalid_request", "Unsupported value: 'stream' must be false here.");
    requireFields(fields, [EMBEDDINGS.test(call.path) ? "input" : "prompt"]);
    // Neither an embedding nor a picture belongs to a conversation.
    return { ...basics, outputTokensMax: null, affinitySource: { kind: "none" } };
  }
  const messages = messagesIn(call.body, fields);
  return {
    ...basics,
    outputTokensMax: outputTokensMaxOf(call.body, fields, ["max_completion_tokens", "max_tokens"]),
    affinitySource: affinityOf(call, fields, () => openingItems(call.body, messages, fields.has("tools"))),
  };
}

function messagesIn(body: Uint8Array, fields: Fields): FieldRange {
  requireFields(fields, ["messages"]);
  const range = fields.get("messages");
  if (range === undefined || body[range.start] !== OPEN_BRACKET) {
    throw new RelayError("invalid_request", "Invalid type for 'messages': expected an array of objects.");
  }
  return range;
}
