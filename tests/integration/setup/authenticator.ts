/** An authenticator made of WebCrypto: ES256, attestation `none`, and every part of an answer can be made wrong. */
import { toBase64Url } from "../../../worker/domain/encoding.ts";

const encoder = new TextEncoder();

const joined = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => joined(encoder.encode(text));

type Cbor = number | string | Uint8Array | ReadonlyMap<number | string, Cbor>;

function head(major: number, value: number): Uint8Array {
  if (value < 24) return Uint8Array.of((major << 5) | value);
  if (value < 256) return Uint8Array.of((major << 5) | 24, value);
  return Uint8Array.of((major << 5) | 25, value >> 8, value & 255);
}

/** What of RFC 8949 authenticators need. */
function cbor(value: Cbor): Uint8Array {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return joined(head(3, value.length), encoder.encode(value));
  if (value instanceof Uint8Array) return joined(head(2, value.length), value);
  const entries = [...value].flatMap(([key, each]) => [cbor(key), cbor(each)]);
  return joined(head(5, value.size), ...entries);
}

/** ASN.1 wants a zero before a number whose first bit is set, and none before others. */
function derInteger(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const short = bytes.subarray(Math.max(0, first));
  const padded = (short[0] ?? 0) > 127 ? joined(Uint8Array.of(0), short) : short;
  return joined(Uint8Array.of(2, padded.length), padded);
}

/** WebCrypto signs as two numbers one after the other, WebAuthn wants them in ASN.1. */
function derSignature(raw: Uint8Array): Uint8Array {
  const numbers = joined(derInteger(raw.subarray(0, 32)), derInteger(raw.subarray(32)));
  return joined(Uint8Array.of(0x30, numbers.length), numbers);
}

const USER_PRESENT = 1;
const USER_VERIFIED = 4;
const HAS_CREDENTIAL = 64;

const counterBytes = (counter: number): Uint8Array =>
  Uint8Array.of(counter >>> 24, (counter >>> 16) & 255, (counter >>> 8) & 255, counter & 255);

/** What is signed, each part as it should be unless it is said otherwise. */
export interface Answering {
  readonly challenge: string;
  readonly origin?: string;
  readonly rpId?: string;
  readonly counter?: number;
  readonly isVerified?: boolean;
  readonly userHandle?: string;
}

const ORIGIN = "https://relay.test";

export class Authenticator {
  readonly id = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  readonly #keys: CryptoKeyPair;
  /** Whom it keeps the passkey for. */
  #userHandle: string | undefined;
  #counter = 0;

  private constructor(keys: CryptoKeyPair) {
    this.#keys = keys;
  }

  static async create(): Promise<Authenticator> {
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    return new Authenticator(
      (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair,
    );
  }

  async #authenticatorData(
    { rpId = "relay.test", counter = ++this.#counter, isVerified = true }: Answering,
    credential: Uint8Array | null,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const flags =
      USER_PRESENT | (isVerified ? USER_VERIFIED : 0) | (credential === null ? 0 : HAS_CREDENTIAL);
    const hash = await sha256(bytesOf(rpId));
    return joined(hash, Uint8Array.of(flags), counterBytes(counter), credential ?? new Uint8Array());
  }

  #clientData(type: string, { challenge, origin = ORIGIN }: Answering): Uint8Array<ArrayBuffer> {
    return bytesOf(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  }

  get #envelope() {
    return { id: this.id, rawId: this.id, type: "public-key", clientExtensionResults: {} };
  }

  async #publicKey(): Promise<Uint8Array> {
    const raw = new Uint8Array((await crypto.subtle.exportKey("raw", this.#keys.publicKey)) as ArrayBuffer);
    const entries: [number, Cbor][] = [
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, raw.slice(1, 33)],
      [-3, raw.slice(33)],
    ];
    return cbor(new Map(entries));
  }

  /** As `navigator.credentials.create` answers, made JSON. */
  async register(answering: Answering) {
    this.#userHandle = answering.userHandle;
    const id = Uint8Array.from(atob(this.id.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
      c.charCodeAt(0),
    );
    const length = Uint8Array.of(id.length >> 8, id.length & 255);
    const credential = joined(new Uint8Array(16), length, id, await this.#publicKey());
    const authData = await this.#authenticatorData({ counter: 0, ...answering }, credential);
    const parts: [string, Cbor][] = [
      ["fmt", "none"],
      ["attStmt", new Map()],
      ["authData", authData],
    ];
    return {
      ...this.#envelope,
      response: {
        clientDataJSON: toBase64Url(this.#clientData("webauthn.create", answering)),
        attestationObject: toBase64Url(cbor(new Map(parts))),
        transports: ["internal"],
      },
    };
  }

  /** As `navigator.credentials.get` answers, made JSON. */
  async answer(answering: Answering) {
    const authData = await this.#authenticatorData(answering, null);
    const clientData = this.#clientData("webauthn.get", answering);
    const signed = joined(authData, await sha256(clientData));
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    const signature = new Uint8Array(await crypto.subtle.sign(algorithm, this.#keys.privateKey, signed));
    const userHandle = answering.userHandle ?? this.#userHandle;
    return {
      ...this.#envelope,
      response: {
        clientDataJSON: toBase64Url(clientData),
        authenticatorData: toBase64Url(authData),
        signature: toBase64Url(derSignature(signature)),
        ...(userHandle === undefined ? {} : { userHandle }),
      },
    };
  }
}
