/** What stands inside a message or a tool's output, in the neutral form. Pure. */
import { z } from "zod";
import type { MediaPart, TextPart } from "../../neutral.ts";
import { notCarried } from "../../translate.ts";
import { invalid, readAs } from "./read-body.ts";

const text = z.object({ text: z.string() });
const refusal = z.object({ refusal: z.string() });
const image = z.object({ image_url: z.string().nullish(), file_id: z.string().nullish() });
const file = z.object({
  file_data: z.string().nullish(),
  file_url: z.string().nullish(),
  file_id: z.string().nullish(),
  filename: z.string().nullish(),
});
const audio = z.object({ input_audio: z.object({ data: z.string(), format: z.string().max(20) }) });

type Content = TextPart | MediaPart;
type Reader = (value: unknown, place: string) => Content;

const textPart = (value: string): TextPart => ({ kind: "text", text: value, cache: null });
const readText: Reader = (value, place) => textPart(readAs(text, value, place).text);

const READERS: Readonly<Record<string, Reader>> = {
  input_text: readText,
  output_text: readText,
  text: readText,
  summary_text: readText,
  refusal: (value, place) => textPart(readAs(refusal, value, place).refusal),
  input_image: readImage,
  input_file: readFile,
  input_audio: (value, place) => {
    const { data, format } = readAs(audio, value, place).input_audio;
    return media({ mediaType: `audio/${format}`, source: { kind: "base64", data } });
  },
};

const contentSchema = z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]);

/** @param place of the content: `input[3].content` */
export function readContent(value: unknown, place: string): readonly Content[] {
  const content = readAs(contentSchema, value, place);
  if (typeof content === "string") return [textPart(content)];
  return content.map((part, index) => {
    const reader = Object.hasOwn(READERS, part.type) ? READERS[part.type] : undefined;
    const at = `${place}[${String(index)}]`;
    if (reader === undefined) throw notCarried(`${at}: ${part.type.slice(0, 100)}`);
    return reader(part, at);
  });
}

const media = (
  of: Pick<MediaPart, "mediaType" | "source"> & { readonly name?: string | null },
): MediaPart => ({
  kind: "media",
  mediaType: of.mediaType,
  source: of.source,
  name: of.name ?? null,
  cache: null,
});

function readImage(value: unknown, place: string): Content {
  const { image_url: url, file_id: id } = readAs(image, value, place);
  if (typeof url === "string") return media(addressed(url, `${place}.image_url`));
  if (typeof id === "string") throw notCarried(`${place}.file_id`);
  throw invalid(`Missing required parameter: '${place}.image_url'.`);
}

const PDF = "application/pdf";

function readFile(value: unknown, place: string): Content {
  const { file_data: data, file_url: url, file_id: id, filename } = readAs(file, value, place);
  const name = filename ?? null;
  if (typeof data === "string" && data.startsWith("data:")) {
    return media({ ...addressed(data, `${place}.file_data`), name });
  }
  if (typeof data === "string") return media({ mediaType: PDF, source: { kind: "base64", data }, name });
  // An address says nothing of what is behind it, and without a type it would be taken for a picture.
  if (typeof url === "string") return media({ mediaType: PDF, source: { kind: "url", url }, name });
  if (typeof id === "string") throw notCarried(`${place}.file_id`);
  throw invalid(`Missing required parameter: '${place}.file_data'.`);
}

const DATA_URL = /^data:([^;,]+)(?:;[^;,]+)*;base64,/i;

/** What an address holds, if it is a data URL, or the address. */
function addressed(url: string, place: string): Pick<MediaPart, "mediaType" | "source"> {
  if (!url.startsWith("data:")) return { mediaType: null, source: { kind: "url", url } };
  const head = DATA_URL.exec(url.slice(0, 200));
  if (head === null) throw invalid(`Invalid value for '${place}': expected a data URL in base64.`);
  const [prefix, mediaType = ""] = head;
  return { mediaType: mediaType.toLowerCase(), source: { kind: "base64", data: url.slice(prefix.length) } };
}
