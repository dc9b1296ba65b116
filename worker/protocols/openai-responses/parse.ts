/** Reads of a Responses call only what the relay needs; everything else passes through unseen. Pure. */
import { topLevelFields, type FieldRange } from "../json-fields.ts";
import { affinityOf, openingItems, outputTokensMaxOf, parseBasics, type Fields } from "../openai/parse.ts";
import type { ClientCall, ParsedCall } from "../protocol.ts";

const OPEN_BRACKET = 0x5b;
const COMPACT = /\/compact$/;

export function parseResponsesCall(call: ClientCall): ParsedCall {
  const fields = topLevelFields(call.body);
  const basics = parseBasics(call.body, fields);
  return {
    ...basics,
    // A compaction is answered whole, whatever a client asks for.
    stream: basics.stream && !COMPACT.test(call.path),
    outputTokensMax: outputTokensMaxOf(call.body, fields, ["max_output_tokens"]),
    affinitySource: affinityOf(call, fields, () => opening(call.body, fields)),
  };
}

function opening(body: Uint8Array, fields: Fields): FieldRange[] {
  const instructions = fields.get("instructions");
  const input = fields.get("input");
  const known = [instructions].filter((range) => range !== undefined);
  if (input === undefined) return [];
  if (body[input.start] === OPEN_BRACKET) {
    const items = openingItems(body, input, instructions !== undefined || fields.has("tools"));
    return items.length === 0 ? [] : [...known, ...items];
  }
  return known.length === 0 ? [] : [...known, input];
}
