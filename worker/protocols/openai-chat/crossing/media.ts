/** Pictures, documents and recordings as content parts, both ways. Pure. */
import type { CacheMark, MediaPart } from "../../neutral.ts";
import { notCarried } from "../../translate.ts";
import { invalid, type ChatPart } from "./request-schema.ts";

const ADDRESS = /^https?:\/\//i;
/** The type and its parameters; what follows may be megabytes. */
const DATA_URL = /^data:([^;,]*)((?:;[^;,]*){0,8}),/;
const DATA_URL_HEAD_MAX = 1_000;

const AUDIO_TYPES = { wav: "audio/wav", mp3: "audio/mpeg" } as const;
const AUDIO_FORMATS: Readonly<Record<string, string>> = {
  "audio/wav": "wav",
  "audio/x-wav": "wav",
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3",
};
/** `file_data` may be bare base64; until it took other types, a file was a PDF. */
const FILE_TYPE = "application/pdf";

export const cacheOf = (mark: ChatPart["cache_control"]): CacheMark => {
  if (mark === null || mark === undefined) return null;
  return mark.ttl === "1h" ? "1h" : "5m";
};

/** null: it is no data URL. */
export function readDataUrl(url: string): { mediaType: string; data: string } | null {
  const head = DATA_URL.exec(url.slice(0, DATA_URL_HEAD_MAX));
  if (head === null || !(head[2] ?? "").endsWith(";base64")) return null;
  const type = (head[1] ?? "").trim().toLowerCase();
  const mediaType = type === "image/jpg" ? "image/jpeg" : type === "" ? "application/octet-stream" : type;
  return { mediaType, data: url.slice(head[0].length) };
}

const media = (part: Pick<MediaPart, "mediaType" | "source" | "name" | "cache">): MediaPart => ({
  kind: "media",
  ...part,
});

/** @param at where the part stands, for whoever has to mend it; @returns null where it is no medium */
export function decodeMedia(part: ChatPart, at: string): MediaPart | null {
  const cache = cacheOf(part.cache_control);
  switch (part.type) {
    case "image_url": {
      const url = typeof part.image_url === "string" ? part.image_url : part.image_url?.url;
      if (url === undefined) throw invalid(`Missing required parameter: '${at}.image_url'.`);
      return media({ ...atUrl(url, `${at}.image_url.url`), name: null, cache });
    }
    case "input_audio": {
      if (!part.input_audio) throw invalid(`Missing required parameter: '${at}.input_audio'.`);
      const { data, format } = part.input_audio;
      const mediaType = format === "wav" || format === "mp3" ? AUDIO_TYPES[format] : `audio/${format}`;
      return media({ mediaType, source: { kind: "base64", data }, name: null, cache });
    }
    case "file":
      return decodeFile(part, at, cache);
    default:
      return null;
  }
}

function decodeFile({ file }: ChatPart, at: string, cache: CacheMark): MediaPart {
  const data = file?.file_data;
  const name = file?.filename ?? null;
  if (typeof data !== "string") {
    // It lies with whoever it was uploaded to.
    if (typeof file?.file_id === "string") throw notCarried(`${at}.file.file_id`);
    throw invalid(`Missing required parameter: '${at}.file.file_data'.`);
  }
  if (ADDRESS.test(data))
    return media({ mediaType: FILE_TYPE, source: { kind: "url", url: data }, name, cache });
  if (data.startsWith("data:")) return media({ ...atUrl(data, `${at}.file.file_data`), name, cache });
  return media({ mediaType: FILE_TYPE, source: { kind: "base64", data }, name, cache });
}

function atUrl(url: string, at: string): Pick<MediaPart, "mediaType" | "source"> {
  if (ADDRESS.test(url)) return { mediaType: null, source: { kind: "url", url } };
  const inline = readDataUrl(url);
  if (inline === null)
    throw invalid(`Invalid value for '${at}': expected a data URL in base64 or an https address.`);
  return { mediaType: inline.mediaType, source: { kind: "base64", data: inline.data } };
}

/** A content part as an upstream takes it. @throws RelayError for what the dialect has no part for */
export function encodeMedia({ mediaType, source, name }: MediaPart): Readonly<Record<string, unknown>> {
  const type = mediaType ?? "";
  if (source.kind === "url") {
    if (type === "" || type.startsWith("image/"))
      return { type: "image_url", image_url: { url: source.url } };
    throw notCarried(`${type} by its address`);
  }
  const { data } = source;
  if (type.startsWith("image/")) return { type: "image_url", image_url: { url: dataUrl(type, data) } };
  if (type.startsWith("text/")) return { type: "text", text: plainText(data, name) };
  const format = AUDIO_FORMATS[type];
  if (format !== undefined) return { type: "input_audio", input_audio: { data, format } };
  if (!type.startsWith("application/")) throw notCarried(type === "" ? "a file of unknown type" : type);
  return { type: "file", file: { filename: name ?? "document.pdf", file_data: dataUrl(type, data) } };
}

export const dataUrl = (mediaType: string, data: string): string => `data:${mediaType};base64,${data}`;

/** Files were PDFs long before they were anything else, but any model reads text. */
function plainText(data: string, name: string | null): string {
  let binary: string;
  try {
    binary = atob(data);
  } catch {
    throw invalid("A text document is not valid base64.");
  }
  const text = new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  return name === null ? text : `${name}:\n${text}`;
}
