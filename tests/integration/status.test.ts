/** What monitors see: health, and metrics in Prometheus' text format. Security case C9. */
import { createExecutionContext } from "cloudflare:test";
import { env as rawEnv } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { app } from "../../worker/app.ts";
import { VERSION } from "../../worker/domain/version.ts";
import { parseEnv } from "../../worker/env.ts";
import { daySums } from "../../worker/storage/model-sums.ts";
import {
  admin,
  call,
  createAccount,
  createKey,
  createPair,
  env,
  fetchRelay,
  MODEL,
  relayWith,
  usageOf,
} from "./setup/relay.ts";

const TOKEN = "token-of-the-monitor-in-these-tests";

const healthWith = async (bindings: Readonly<Record<string, unknown>>) =>
  app.fetch(
    new Request("https://relay.test/health"),
    parseEnv({ ...rawEnv, ...bindings }),
    createExecutionContext(),
  );

describe("GET /health", () => {
  it("says that all is well, and which version runs", async () => {
    const response = await fetchRelay("/health");
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({
      status: "ok",
      version: VERSION,
      checks: { database: "ok", snapshots: "ok" },
    });
  });

  it.each([
    ["database", "DB", "prepare"],
    ["snapshots", "KV", "get"],
  ])("is a 503 that names the %s, and tells nothing else", async (name, binding, method) => {
    const broken = {
      [method]: () => {
        throw new Error("canary-secret");
      },
    };
    const response = await healthWith({ [binding]: broken });
    expect(response.status).toBe(503);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ status: "unavailable", checks: { [name]: "failed" } });
    expect(text).not.toContain("canary");
  });

  it("waits for nobody for ever", async () => {
    const response = await healthWith({ KV: { get: () => new Promise(() => undefined) } });
    expect(await response.json()).toMatchObject({ checks: { database: "ok", snapshots: "failed" } });
  });

  it("looks once for many who ask", async () => {
    let looks = 0;
    const KV = { get: async () => ++looks };
    const relay = parseEnv({ ...rawEnv, KV });
    const ask = async () =>
      (await app.fetch(new Request("https://relay.test/health"), relay, createExecutionContext())).status;
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 200]);
    expect(looks).toBe(1);
  });
});

interface Family {
  readonly type: string;
  readonly samples: { labels: Record<string, string>; value: number }[];
}

const LABELS = String.raw`(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"(?:,(?!\})|(?=\})))*`;
const SAMPLE = new RegExp(String.raw`^([a-zA-Z_:][\w:]*)(?:\{(${LABELS})\})? (\S+)$`);

/** Strict: a line that the text format does not know is an error, as is a sample outside its family. */
function parseMetrics(text: string): Map<string, Family> {
  expect(text.endsWith("\n")).toBe(true);
  const families = new Map<string, Family>();
  let [described, current] = ["", ""];
  for (const line of text.slice(0, -1).split("\n")) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (keyword === "HELP") described = name;
    else if (keyword === "TYPE") {
      expect(name).toBe(described);
      expect(families.has(name)).toBe(false);
      families.set((current = name), { type: rest, samples: [] });
    } else {
      const [, sample, labels = "", value = ""] = SAMPLE.exec(line) ?? [];
      expect(sample, line).toBe(current);
      expect(Number.isFinite(Number(value)), line).toBe(true);
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]);
      families
        .get(current)
        ?.samples.push({ labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) });
    }
  }
  return families;
}

const metrics = async () => {
  const response = await relayWith({ METRICS_TOKEN: TOKEN })("/metrics", {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return response.text();
};

describe("GET /metrics", { timeout: 30_000 }, () => {
  it("is not there without a token of the deployment, and closed to any other", async () => {
    expect((await fetchRelay("/metrics")).status).toBe(404);
    expect((await fetchRelay("/metrics", { headers: { authorization: "Bearer " } })).status).toBe(404);
    const relay = relayWith({ METRICS_TOKEN: TOKEN });
    for (const authorization of ["", "Bearer", "Bearer nonsense", `Bearer ${TOKEN}x`, `Basic ${TOKEN}`]) {
      expect((await relay("/metrics", { headers: { authorization } })).status, authorization).toBe(401);
    }
  });

  it("counts requests, tokens and cost by provider and model", async () => {
    const { account, key } = await createPair();
    expect((await call(key)).status).toBe(200);
    const [record] = await usageOf(key);
    const families = parseMetrics(await metrics());
    const valueOf = (name: string, labels: Record<string, string>) =>
      families
        .get(name)
        ?.samples.find((sample) =>
          Object.entries({ provider: account.provider, model: record?.model ?? "", ...labels }).every(
            ([label, text]) => sample.labels[label] === text,
          ),
        )?.value;
    expect(record?.model).toBe(MODEL);
    expect(valueOf("edge_relay_requests_total", { outcome: "ok" })).toBe(1);
    expect(valueOf("edge_relay_requests_total", { outcome: "failed" })).toBe(0);
    expect(valueOf("edge_relay_tokens_total", { kind: "input" })).toBe(record?.tokens.input);
    expect(valueOf("edge_relay_tokens_total", { kind: "output" })).toBe(record?.tokens.output);
    expect(valueOf("edge_relay_cost_dollars_total", {})).toBeCloseTo((record?.cost ?? 0) / 1e9, 9);
    expect(record?.cost).toBeGreaterThan(0);
  });

  it("counts accounts and keys by whether they can be used", async () => {
    await createAccount({ enabled: false });
    await createKey({ enabled: false });
    const families = parseMetrics(await metrics());
    const overview = await (
      await admin("GET", "/overview")
    ).json<{ accounts: Record<string, number>; keys: { total: number; enabled: number } }>();
    const counts = (name: string, label: string): Record<string, number> => {
      const samples = families.get(name)?.samples ?? [];
      return Object.fromEntries(samples.map(({ labels, value }) => [labels[label] ?? "", value]));
    };
    const { total: _, ...accounts } = overview.accounts;
    expect(counts("edge_relay_accounts", "availability")).toEqual(accounts);
    expect(accounts["disabled"]).toBeGreaterThanOrEqual(1);
    const { total, enabled } = overview.keys;
    expect(counts("edge_relay_keys", "state")).toEqual({ enabled, disabled: total - enabled });
    expect(total - enabled).toBeGreaterThanOrEqual(1);
  });

  it("keeps the conventions for names, and no secret", async () => {
    const { account, key } = await createPair();
    await call(key);
    await usageOf(key);
    const text = await metrics();
    for (const [name, { type, samples }] of parseMetrics(text)) {
      expect(name).toMatch(/^edge_relay_[a-z_]+$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
      expect(samples.length).toBeGreaterThan(0);
      const series = samples.map(({ labels }) => JSON.stringify(labels));
      expect(new Set(series).size).toBe(series.length);
    }
    const secrets = [account.secret, key.key, key.id, account.id, account.name, key.name, TOKEN];
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  it("does not grow with every model that somebody thinks of", async () => {
    const day = "2001-01-01";
    const rows = Array.from({ length: 7 }, (_, index) => ({
      model: `m${String(index)}`,
      requests: index + 1,
    }));
    await env.DB.batch(
      rows.map(({ model, requests }) =>
        env.DB.prepare(
          "INSERT INTO usage_day VALUES (?, 'key_00000000', '', ?, '', '', ?, 1, 0, 10, 1, 0, 0, 0, 0, 5)",
        ).bind(day, model, requests),
      ),
    );
    const sums = await daySums(env.DB, day, 3);
    expect(sums.map(({ provider, model, requests }) => [provider, model, requests])).toEqual([
      ["none", "m6", 7],
      ["none", "m5", 6],
      ["none", "m4", 5],
      ["other", "other", 10],
    ]);
    expect(sums.at(-1)).toMatchObject({ failed: 4, input: 40, output: 4, cost: 20 });
  });
});
