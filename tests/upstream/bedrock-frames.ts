/**
 * Writes the frames of `application/vnd.amazon.eventstream`, after AWS's description and without the product's library.
 * Pure, and without Node, so that tests of any kind can use it.
 */

export type FrameHeaders = Readonly<Record<string, string>>;

const STRING_TYPE = 7;
/** CRC-32 as in gzip (RFC 1952, section 8), bits reversed. */
const POLYNOMIAL = 0xedb88320;

const encoder = new TextEncoder();

export function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function encodeFrame(headers: FrameHeaders, payload: string): Uint8Array {
  const head = joined(...Object.entries(headers).map(([name, value]) => encodeHeader(name, value)));
  const body = encoder.encode(payload);
  const lengths = joined(uint32(16 + head.length + body.length), uint32(head.length));
  const message = joined(lengths, uint32(crc32(lengths)), head, body);
  return joined(message, uint32(crc32(message)));
}

function encodeHeader(name: string, value: string): Uint8Array {
  const [nameBytes, valueBytes] = [encoder.encode(name), encoder.encode(value)];
  const length = [valueBytes.length >> 8, valueBytes.length & 0xff];
  return joined([nameBytes.length], nameBytes, [STRING_TYPE], length, valueBytes);
}

/** Big endian. */
const uint32 = (value: number): readonly number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff);

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  }
  return ~crc >>> 0;
}

/** One event of Anthropic's, with padding as Bedrock has it, so that lengths tell nobody what is said. */
export function chunkFrame(json: string): Uint8Array {
  const bytes = [...encoder.encode(json)].map((byte) => String.fromCharCode(byte)).join("");
  const payload = { bytes: btoa(bytes), p: "abcdefghijk".slice(json.length % 11) };
  const headers = {
    ":event-type": "chunk",
    ":content-type": "application/json",
    ":message-type": "event",
  };
  return encodeFrame(headers, JSON.stringify(payload));
}

/** @param name in a frame's spelling: `throttlingException` */
export function exceptionFrame(name: string, message: string): Uint8Array {
  return exceptionFrameOf(name, JSON.stringify({ message }));
}

export function exceptionFrameOf(name: string, json: string): Uint8Array {
  const headers = {
    ":exception-type": name,
    ":content-type": "application/json",
    ":message-type": "exception",
  };
  return encodeFrame(headers, json);
}

/** The same bytes with one bit turned. */
export function withWrongBit(frame: Uint8Array, bit: number): Uint8Array {
  return frame.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
}

/** Of the payload's last byte a bit is turned: only the checksum can tell. */
export const withWrongChecksum = (frame: Uint8Array) => withWrongBit(frame, (frame.length - 5) * 8);
