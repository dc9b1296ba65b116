/** Puts requests into the envelope of Code Assist: by bytes, so that what is inside stays as the client wrote it. Pure. */
import { spliceJson, topLevelFields, type FieldRange } from "../../protocols/json-fields.ts";
import { fieldOf, requestFields } from "../../protocols/gemini/request-fields.ts";

const encoder = new TextEncoder();

function joined(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const chunks = parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
  const all = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

const at = (body: Uint8Array, { start, end }: FieldRange) => body.subarray(start, end);

/** Without a byte order mark, which may only come first. */
const withoutMark = (body: Uint8Array) =>
  body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;

/** `{model, project, request}` around a call of the Gemini API. */
export function wrapped(body: Uint8Array, model: string, projectId: string | null): Uint8Array {
  const project = projectId === null ? "" : `"project":${JSON.stringify(projectId)},`;
  return joined(`{"model":${JSON.stringify(model)},${project}"request":`, withoutMark(body), "}");
}

/** Counting takes nothing but the model, with its prefix, and the contents. */
export function wrappedCount(body: Uint8Array, model: string): Uint8Array {
  const contents = fieldOf(requestFields(body), "contents");
  const name = JSON.stringify(`models/${model}`);
  if (contents === undefined) return joined(`{"request":{"model":${name}}}`);
  return joined(`{"request":{"model":${name},"contents":`, at(body, contents), "}}");
}

/** The object with one field set, whether it had it or not. */
export function withField(body: Uint8Array, name: string, value: string): Uint8Array {
  const fields = topLevelFields(body);
  const range = fields.get(name);
  if (range !== undefined) return spliceJson(body, range, value);
  const rest = withoutMark(body);
  const open = rest.indexOf(0x7b) + 1;
  const field = `${JSON.stringify(name)}:${JSON.stringify(value)}${fields.size === 0 ? "" : ","}`;
  return joined(rest.subarray(0, open), field, rest.subarray(open));
}
