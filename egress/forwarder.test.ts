import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createForwarder, readSettings } from "./forwarder.mjs";

const TOKEN = "t".repeat(32);
const ENV = {
  EGRESS_TOKEN: TOKEN,
  EGRESS_ALLOW: "api.example, *.wild.example, odd.example:8443",
  EGRESS_PLAIN_HTTP: "true",
};

describe("readSettings", () => {
  it.each([
    ["a short token", { EGRESS_TOKEN: "short" }, "EGRESS_TOKEN must have"],
    ["no upstreams", { EGRESS_ALLOW: " , " }, "EGRESS_ALLOW must list"],
    ["plain HTTP for everybody", { EGRESS_HOST: "0.0.0.0" }, "EGRESS_PLAIN_HTTP is for loopback only"],
    ["neither TLS nor plain HTTP", { EGRESS_PLAIN_HTTP: "" }, "EGRESS_CERT and EGRESS_KEY"],
  ])("refuses %s", (_, change, message) => {
    expect(() => readSettings({ ...ENV, ...change })).toThrow(message);
  });

  it("listens on loopback only without TLS", () => {
    expect(readSettings(ENV)).toMatchObject({ host: "127.0.0.1", tls: null, allowPrivate: false });
  });
});

describe("createForwarder", () => {
  let server: Server;
  let url = "";
  const lines: string[] = [];

  beforeAll(async () => {
    vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
    server = createForwarder(readSettings(ENV)).listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  });
  afterAll(() => {
    vi.restoreAllMocks();
    server.closeAllConnections();
    server.close();
  });

  const proxy = (fields: object) => Buffer.from(JSON.stringify(fields)).toString("base64");
  const INSIDE = {
    type: "socks5",
    host: "127.0.0.1",
    port: 1080,
    username: "me",
    password: "canary-password",
  };
  const ask = (headers: Record<string, string>) =>
    fetch(url, {
      headers: {
        "x-egress-authorization": `Bearer ${TOKEN}`,
        "x-egress-target": "https://api.example/v1",
        "x-egress-proxy": proxy(INSIDE),
        "x-egress-pass": "",
        ...headers,
      },
    });

  it.each([
    ["another token", { "x-egress-authorization": `Bearer ${"x".repeat(32)}` }, 401, "egress_unauthorized"],
    ["no token", { "x-egress-authorization": "" }, 401, "egress_unauthorized"],
    ["another upstream", { "x-egress-target": "https://evil.example/" }, 403, "egress_target_denied"],
    [
      "what only ends like one",
      { "x-egress-target": "https://evilapi.example/" },
      403,
      "egress_target_denied",
    ],
    ["the parent of a wildcard", { "x-egress-target": "https://wild.example/" }, 403, "egress_target_denied"],
    ["another port", { "x-egress-target": "https://api.example:444/" }, 403, "egress_target_denied"],
    ["plain HTTP", { "x-egress-target": "http://api.example/" }, 403, "egress_target_denied"],
    ["what is no address", { "x-egress-target": "api.example" }, 403, "egress_target_denied"],
    ["no proxy", { "x-egress-proxy": "" }, 400, "proxy_unusable"],
    ["half a sign-in", { "x-egress-proxy": proxy({ ...INSIDE, password: null }) }, 400, "proxy_unusable"],
    [
      "another kind of proxy",
      { "x-egress-proxy": proxy({ ...INSIDE, type: "direct" }) },
      400,
      "proxy_unusable",
    ],
    ["a proxy inside", {}, 400, "proxy_unusable"],
    [
      "a proxy whose name leads inside",
      { "x-egress-proxy": proxy({ ...INSIDE, host: "localhost" }) },
      400,
      "proxy_unusable",
    ],
    [
      "a proxy inside, as IPv6",
      { "x-egress-proxy": proxy({ ...INSIDE, host: "::ffff:10.0.0.1" }) },
      400,
      "proxy_unusable",
    ],
  ])("refuses %s", async (_, headers, status, code) => {
    const response = await ask(headers);
    expect(response.status).toBe(status);
    expect(response.headers.get("x-egress-error")).toBe(code);
    expect(response.headers.get("x-egress-answer")).toBeNull();
    expect(await response.text()).not.toContain("canary-password");
  });

  it.each(["https://a.b.wild.example/", "https://odd.example:8443/"])("may call %s", async (target) => {
    const response = await ask({ "x-egress-target": target });
    // It got as far as the proxy.
    expect(response.headers.get("x-egress-error")).toBe("proxy_unusable");
  });

  it("logs neither the token nor a password", () => {
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join()).not.toMatch(/canary-password|tttttttt/);
  });
});
