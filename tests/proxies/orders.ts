/** What tests ask of the proxy lab; plain types, for both sides of its wire. */

/** A name of the upstream that only proxies can resolve. */
export const REMOTE_NAME = "upstream.test";

/** A name that the proxies' own rules forbid. */
export const FORBIDDEN_NAME = "forbidden.test";

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
  /** Ports of TLS in front of the fake upstream. */
  readonly tlsPort: number;
  /** The same, for those who must not get there: connections to it are counted. */
  readonly watchedPort: number;
  /** With the certificate of another. */
  readonly wrongTlsPort: number;
  /** Accepts connections, and never says a word. */
  readonly silentPort: number;
  /** Nothing listens here. */
  readonly closedPort: number;
  readonly egress: { readonly url: string; readonly token: string };
}
