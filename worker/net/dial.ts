/** What every way to an upstream looks like: as much of `fetch` as the relay uses. */

export interface DialInit {
  readonly method: "GET" | "POST";
  readonly headers: Headers | Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** A redirect would carry the credential to another address. */
  readonly redirect: "manual";
  readonly signal: AbortSignal;
}

/** @throws ProxyError where the proxy is at fault; otherwise as `fetch` does */
export type Dial = (url: string, init: DialInit) => Promise<Response>;
