/** A relay in real processes, with accounts at the fake upstream, for tests that crash it or load it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack, type Stack } from "../../scripts/local/stack.ts";
import type { AccountView } from "../../worker/domain/account.ts";
import type { KeyView } from "../../worker/domain/key.ts";
import type { UsageView } from "../../worker/domain/usage.ts";
import { startUpstream, type Upstream } from "../upstream/server.ts";

const POLL_MS = 200;
const PAGE = 200;

export type TestKey = KeyView & { readonly key: string };

export class RelayUnderTest {
  readonly upstream: Upstream;
  readonly #stateDir: string;
  readonly #env: Readonly<Record<string, string>>;
  #stack: Stack;
  #token: string | null = null;

  private constructor(
    upstream: Upstream,
    stateDir: string,
    env: Readonly<Record<string, string>>,
    stack: Stack,
  ) {
    this.upstream = upstream;
    this.#stateDir = stateDir;
    this.#env = env;
    this.#stack = stack;
    stack.failed.catch(() => undefined);
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<RelayUnderTest> {
    const stateDir = mkdtempSync(join(tmpdir(), "relay-e2e-"));
    const stack = await startStack({ port: 0, adminPort: 0, stateDir, env, admin: false });
    return new RelayUnderTest(await startUpstream(), stateDir, env, stack);
  }

  get url(): string {
    return this.#stack.relayUrl;
  }

  /** Kills every process at once, and starts again over what they left on disk. */
  async crashAndRestart(): Promise<void> {
    await this.#stack.kill();
    this.#stack = await startStack({
      port: 0,
      adminPort: 0,
      stateDir: this.#stateDir,
      env: this.#env,
      admin: false,
    });
    this.#stack.failed.catch(() => undefined);
    this.#token = null;
  }

  async stop(): Promise<void> {
    await this.#stack.stop();
    await this.upstream.close();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }

  async admin<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    this.#token ??= await this.#login();
    const response = await fetch(`${this.url}/admin${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`${method} ${path}: ${String(response.status)} ${await response.text()}`);
    return (await response.json()) as Answer;
  }

  async #login(): Promise<string> {
    const response = await fetch(`${this.url}/admin/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: this.#stack.adminUsername, password: this.#stack.adminPassword }),
    });
    return ((await response.json()) as { token: string }).token;
  }

  createAccount(secret: string, overrides: Record<string, unknown> = {}): Promise<AccountView> {
    return this.admin("POST", "/accounts", {
      name: secret,
      provider: "claude-console",
      credential: { apiKey: secret },
      baseUrl: this.upstream.url,
      ...overrides,
    });
  }

  createKey(overrides: Record<string, unknown> = {}): Promise<TestKey> {
    return this.admin("POST", "/keys", { name: "test", ...overrides });
  }

  stream(key: TestKey, prompt: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": key.key, ...headers },
      body: JSON.stringify({
        model: "claude-sonnet-4-5",
        max_tokens: 100,
        stream: true,
        messages: [{ role: "user", content: prompt }],
      }),
    });
  }

  async account(id: string): Promise<AccountView> {
    return this.admin("GET", `/accounts/${id}`);
  }

  async key(id: string): Promise<KeyView> {
    return this.admin("GET", `/keys/${id}`);
  }

  /** Every record of a key, once there are `count` of them. */
  async records(key: TestKey, count: number, withinMs: number): Promise<UsageView[]> {
    await until(async () => (await this.#page(key, 1)).total >= count, withinMs);
    const { total } = await this.#page(key, 1);
    const pages: UsageView[] = [];
    for (let page = 1; (page - 1) * PAGE < total; page++) pages.push(...(await this.#page(key, page)).items);
    return pages;
  }

  #page(key: TestKey, page: number): Promise<{ items: UsageView[]; total: number }> {
    return this.admin("GET", `/usage?keyId=${key.id}&limit=${String(PAGE)}&page=${String(page)}`);
  }
}

export async function until(reached: () => Promise<boolean>, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await reached())) {
    if (Date.now() > deadline) throw new Error(`not reached within ${String(withinMs)} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
