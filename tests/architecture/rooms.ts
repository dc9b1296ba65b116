/**
 * The dependency rule as one table: which room may import which. Read it from top to bottom: a room imports
 * only rooms above it. A file belongs to the first row whose pattern it matches.
 */

export interface Room {
  readonly name: string;
  readonly files: RegExp;
  /** Rooms it may import, apart from itself; `type:` allows `import type` only. */
  readonly imports: readonly string[];
  /** Packages and platform modules it may import; null when any will do. */
  readonly packages: readonly string[] | null;
  /**
   * The room holds one folder for each variant. Variants know the files beside their folders and the folders
   * `shared` between them (which have no entry in the registry), but not each other.
   */
  readonly variants?: { readonly shared: readonly string[] };
}

/** Rooms without clock, randomness, network or platform; they may be read and tested anywhere. */
const PURE = ["zod"];
/** What every room of the Worker may build on, once the pure ones are done. */
const BASE = ["domain", "protocols", "pricing", "net", "storage"];

export const ROOMS: readonly Room[] = [
  { name: "domain", files: /^worker\/domain\//, imports: [], packages: PURE },
  {
    name: "protocols",
    files: /^worker\/protocols\//,
    imports: ["domain"],
    packages: [...PURE, "eventsource-parser"],
    variants: { shared: ["openai"] },
  },
  {
    name: "pricing",
    files: /^worker\/pricing\//,
    imports: ["domain"],
    packages: [...PURE, "@pydantic/genai-prices"],
  },
  { name: "net", files: /^worker\/net\//, imports: ["domain"], packages: null },
  { name: "storage", files: /^worker\/storage\//, imports: ["domain"], packages: null },
  {
    name: "contract",
    files: /^durable-objects\/[^/]+\/contract\.ts$/,
    imports: ["domain"],
    packages: PURE,
  },
  {
    // The state machines and what they are made of; eslint.config.js names the same files.
    name: "state",
    files:
      /^durable-objects\/(wait-queue|recent-ids|warrants|[^/]+\/(state|cooldowns|mask|admission|leases|limits|notices|permits|probes|rules|spending|user-turns|windows))\.ts$/,
    imports: ["domain", "contract"],
    packages: PURE,
  },
  {
    name: "providers",
    files: /^worker\/providers\//,
    imports: BASE,
    packages: null,
    variants: { shared: ["anthropic-api", "openai-api", "google-api"] },
  },
  { name: "env", files: /^worker\/env\.ts$/, imports: ["domain", "contract"], packages: null },
  // Who somebody is, as others say: a directory, an OpenID provider.
  {
    name: "identity",
    files: /^worker\/identity\//,
    imports: ["domain", "net", "storage"],
    packages: ["cloudflare:sockets", "ldapts", "oauth4webapi", ...PURE],
  },
  { name: "notify", files: /^worker\/notify\//, imports: [...BASE, "contract", "env"], packages: null },
  {
    name: "durable-objects",
    files: /^durable-objects\//,
    imports: [...BASE, "contract", "state", "providers", "env", "notify"],
    packages: null,
  },
  {
    name: "relay",
    files: /^worker\/relay\//,
    imports: [...BASE, "contract", "providers", "env"],
    packages: null,
  },
  // What routes say of themselves, and the document that is made of it.
  { name: "api-document", files: /^worker\/api-document\//, imports: ["domain"], packages: null },
  // What both a job and an admin set going.
  { name: "keyring", files: /^worker\/keyring\//, imports: [...BASE, "contract", "env"], packages: null },
  { name: "price-list", files: /^worker\/price-list\//, imports: [...BASE, "env", "notify"], packages: null },
  {
    name: "cron",
    files: /^worker\/cron\//,
    imports: [...BASE, "contract", "providers", "env", "notify", "price-list"],
    packages: null,
  },
  {
    name: "public",
    files: /^worker\/public\//,
    imports: [...BASE, "contract", "env", "relay", "api-document"],
    packages: null,
  },
  {
    name: "admin",
    files: /^worker\/admin\//,
    imports: [
      ...BASE,
      "contract",
      "providers",
      "env",
      "notify",
      "keyring",
      "identity",
      "price-list",
      "api-document",
      "public",
    ],
    packages: null,
  },
  {
    name: "status",
    files: /^worker\/status\//,
    imports: [...BASE, "contract", "env", "admin"],
    packages: null,
  },
  {
    name: "app",
    files: /^worker\/app\.ts$/,
    imports: [...BASE, "providers", "env", "notify", "relay", "admin", "status", "public"],
    packages: null,
  },
  {
    name: "index",
    files: /^worker\/index\.ts$/,
    imports: [...BASE, "providers", "env", "notify", "durable-objects", "relay", "keyring", "cron", "app"],
    packages: null,
  },
  { name: "site", files: /^admin\//, imports: ["domain", "type:admin"], packages: null },
  // Runs on machines that have this one file and Node, so it may import nothing of ours, nor any package.
  {
    name: "egress",
    files: /^egress\//,
    imports: [],
    packages: [
      "node:crypto",
      "node:dns",
      "node:fs",
      "node:http",
      "node:https",
      "node:net",
      "node:stream",
      "node:tls",
      "node:url",
    ],
  },
  { name: "cli", files: /^cli\//, imports: ["domain", "type:admin"], packages: null },
];
