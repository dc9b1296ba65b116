/** Sets a relay up as an administrator does: accounts at the fake upstream, and a key. */

/** Of a relay that lives as long as a benchmark. */
export const ADMIN = { username: "admin", password: "password-of-the-benchmark" } as const;

/** Credentials of the accounts, by which the fake upstream knows what to do. */
export const UPSTREAM_KEYS = Array.from({ length: 5 }, (_, index) => `sk-ant-bench-${String(index + 1)}`);

const ACCOUNTS = [
  ...UPSTREAM_KEYS.map((apiKey) => ({ provider: "claude-console", apiKey })),
  // For what crosses from one dialect to another: no question to Claude in Claude's own comes here.
  ...UPSTREAM_KEYS.slice(0, 1).map((apiKey) => ({ provider: "openai-responses", apiKey })),
];

async function post(url: string, body: unknown, token: string | null): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${String(response.status)} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

/** @returns the text of a relay key without limits, that any of the accounts may serve */
export async function setUpRelay(relayUrl: string, upstreamUrl: string): Promise<string> {
  const admin = `${relayUrl}/admin`;
  const token = String((await post(`${admin}/login`, ADMIN, null))["token"]);
  for (const [index, { provider, apiKey }] of ACCOUNTS.entries()) {
    const account = {
      name: `account ${String(index + 1)}`,
      provider,
      credential: { apiKey },
      baseUrl: upstreamUrl,
      maxConcurrency: 0,
    };
    await post(`${admin}/accounts`, account, token);
  }
  return String((await post(`${admin}/keys`, { name: "bench" }, token))["key"]);
}
