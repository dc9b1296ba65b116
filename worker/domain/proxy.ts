/** The proxy that an account's calls go through: what an admin enters, what is kept where. Pure. */
import { z } from "zod";

export const PROXY_TYPES = ["socks5", "http", "https"] as const;
export type ProxyType = (typeof PROXY_TYPES)[number];

/** RFC 1929 gives user and password a byte of length each. */
const CREDENTIAL_BYTES_MAX = 255;
const HOST_LENGTH_MAX = 253;

/** A host as the URL parser writes it, an IPv6 address without brackets; null: it is none. */
function normalHost(text: string): string | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  const url = `http://${bare.includes(":") ? `[${bare}]` : bare}/`;
  if (/[\s/?#@\\]/.test(bare) || !URL.canParse(url)) return null;
  const { hostname } = new URL(url);
  return hostname.length > HOST_LENGTH_MAX ? null : hostname.replace(/^\[(.*)\]$/, "$1");
}

const host = z
  .string()
  .trim()
  .transform((text, issues) => {
    const name = normalHost(text);
    if (name !== null) return name;
    issues.addIssue("must be a host name or an IP address");
    return z.NEVER;
  });

const credentialPart = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, "must not contain control characters")
  .refine(
    (text) => new TextEncoder().encode(text).length <= CREDENTIAL_BYTES_MAX,
    "must not exceed 255 bytes",
  )
  .nullish()
  // An empty field of a form is one that was not filled.
  .transform((text) => text || null);

const fieldsSchema = z
  .object({
    type: z.enum(PROXY_TYPES),
    host,
    port: z.int().min(1).max(65_535),
    username: credentialPart,
    password: credentialPart,
  })
  .check(({ value, issues }) => {
    const refuse = (path: string, message: string) =>
      issues.push({ code: "custom", path: [path], message, input: value });
    if (value.password !== null && value.username === null)
      refuse("username", "is missing beside the password");
    // RFC 7617: what comes after the first colon is the password.
    if (value.type !== "socks5" && value.username?.includes(":") === true) {
      refuse("username", "must not contain a colon: HTTP proxies cannot be told it");
    }
  });

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const PROXY_URL = /^(socks5h?|https?):\/\/(?:(.*)@)?(\[[^\]]*\]|[^:@/?#[\]]+):(\d{1,5})\/?$/is;

/** The fields of a pasted address such as `socks5://user:password@host:1080`; null: it is not one. */
export function parseProxyUrl(text: string): z.input<typeof fieldsSchema> | null {
  const [, scheme = "", userInfo, name = "", port = ""] = PROXY_URL.exec(text.trim()) ?? [];
  if (name === "") return null;
  // Names are always resolved at the proxy, which is what `socks5h` asks for.
  const type = scheme.toLowerCase().replace("socks5h", "socks5") as ProxyType;
  const colon = userInfo?.indexOf(":") ?? -1;
  const username = colon === -1 ? userInfo : userInfo?.slice(0, colon);
  const password = colon === -1 ? undefined : userInfo?.slice(colon + 1);
  return {
    type,
    host: name,
    port: Number(port),
    username: username === undefined ? null : decoded(username),
    password: password === undefined ? null : decoded(password),
  };
}

/** A proxy as it is entered: its fields, or the address that proxies are usually handed out as. */
export const proxyInputSchema = z
  .union([z.string().max(2000), z.record(z.string(), z.unknown())])
  .transform((entered, issues): z.output<typeof fieldsSchema> => {
    const fields = typeof entered === "string" ? parseProxyUrl(entered) : entered;
    if (fields === null) {
      issues.addIssue("must look like socks5://user:password@host:port, or begin with http:// or https://");
      return z.NEVER;
    }
    const parsed = fieldsSchema.safeParse(fields);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) issues.addIssue({ code: "custom", path, message });
    return z.NEVER;
  });
export type ProxyInput = z.output<typeof proxyInputSchema>;

/** A proxy as it is kept beside an account's settings: everything but the password. */
export const proxyConfigSchema = z.object({
  type: z.enum(PROXY_TYPES),
  host: z.string(),
  port: z.number(),
  username: z.string().nullable(),
  /** The account's object keeps it, sealed. */
  hasPassword: z.boolean(),
});
export type ProxyConfig = Readonly<z.infer<typeof proxyConfigSchema>>;

/** A proxy with all that it takes to use it. Only the account's object and whoever makes a call have it. */
export type Proxy = ProxyConfig & { readonly password: string | null };

type Place = Pick<ProxyConfig, "type" | "host" | "port" | "username">;

/** A password belongs to one user of one proxy: whoever names another place must not be given it. */
export const isSamePlace = (a: Place, b: Place): boolean =>
  a.type === b.type && a.host === b.host && a.port === b.port && a.username === b.username;

/** `host:port`, for messages and for requests. */
export const hostAndPort = ({ host: name, port }: { readonly host: string; readonly port: number }): string =>
  `${name.includes(":") ? `[${name}]` : name}:${String(port)}`;
