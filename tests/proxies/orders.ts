/** What tests ask of the proxy lab; plain types, for both sides of its wire. */

/** A name of the upstream that only proxies can resolve. */
export const REMOTE_NAME = "upstream.test";

export interface ProxyOrder {
  readonly kind: "socks5" | "http" | "https";
  readonly username?: string;
  readonly password?: string;
  /** The folder of the test run's certificates. */
  readonly certificates: string;
}

export interface StartedProxy {
  readonly id: number;
  readonly port: number;
}

/** Where things are. */
export interface Lab {
  /** Ports of TLS in front of the fake upstream: with its own certificate, and with another's. */
  readonly tlsPort: number;
  readonly wrongTlsPort: number;
  /** Accepts connections, and never says a word. */
  readonly silentPort: number;
  /** Nothing listens here. */
  readonly closedPort: number;
  readonly egress: { readonly url: string; readonly token: string };
}
