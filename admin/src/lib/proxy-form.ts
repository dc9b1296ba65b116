/** The fields of an account's proxy: read from a form, and filled from an account. Pure. */
import type { ProxyConfig } from "./domain";
import { numberOf, textOf, typedIn } from "./form-text";

/** As much of a proxy as a form may show. */
export type ProxyShown = Pick<ProxyConfig, "type" | "host" | "port" | "username"> & {
  readonly password?: string | null;
};

/** The fields that may be sent back to the page. */
export const PROXY_NAMES = ["proxyType", "proxyHost", "proxyPort", "proxyUsername"] as const;
/** Those that may not: a pasted address has the password in it. */
export const PROXY_SECRETS = ["proxyUrl", "proxyPassword"] as const;

/** As entered: a pasted address goes before the fields. No type means no proxy. */
export function readProxy(form: FormData) {
  const url = textOf(form, "proxyUrl");
  if (url !== "") return url;
  const type = textOf(form, "proxyType");
  if (type === "") return null;
  return {
    type,
    host: textOf(form, "proxyHost"),
    port: numberOf(form, "proxyPort"),
    username: textOf(form, "proxyUsername"),
    password: typedIn(form, "proxyPassword"),
  };
}

export const proxyValues = (proxy: ProxyShown | null): Record<(typeof PROXY_NAMES)[number], string> => ({
  proxyType: proxy?.type ?? "",
  proxyHost: proxy?.host ?? "",
  proxyPort: proxy === null ? "" : String(proxy.port),
  proxyUsername: proxy?.username ?? "",
});

const LABELS = { socks5: "SOCKS5", http: "HTTP", https: "HTTPS" } as const;

/** The proxy in a few words. */
export const proxyText = ({ type, host, port }: Pick<ProxyConfig, "type" | "host" | "port">): string =>
  `${LABELS[type]} ${host.includes(":") ? `[${host}]` : host}:${port}`;
