/** What an account has left, where its upstream tells. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { admin, createAccount, unique } from "./setup/relay.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const balanceOf = async ({ id }: { readonly id: string }, query = "") =>
  (await admin("GET", `/accounts/${id}/balance${query}`)).json<Record<string, unknown>>();

/** The vendor answers; all else goes where it would. */
function vendorAnswers(url: string, answer: () => Response): Headers[] {
  const asked: Headers[] = [];
  const real = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    if (input !== url) return real(input, init);
    asked.push(new Headers(init?.headers));
    return Promise.resolve(answer());
  });
  return asked;
}

describe("a balance", () => {
  it("is not to be had of most kinds of accounts", async () => {
    const account = await createAccount();
    expect(await balanceOf(account, "?fresh=true")).toEqual({ supported: false });
  });

  it("is asked for when that is wanted, and kept with its time", async () => {
    const apiKey = unique("sk-deepseek");
    const account = await createAccount({
      provider: "openai-chat",
      credential: { apiKey },
      baseUrl: "https://api.deepseek.com",
    });
    const unknown = { supported: true, balance: null, at: null, error: null };
    expect(await balanceOf(account)).toEqual(unknown);
    const asked = vendorAnswers("https://api.deepseek.com/user/balance", () =>
      Response.json({ balance_infos: [{ currency: "USD", total_balance: "4.20" }] }),
    );
    const fresh = await balanceOf(account, "?fresh=true");
    expect(fresh).toMatchObject({ balance: { amounts: [{ currency: "USD", remaining: 4.2 }] }, error: null });
    expect(asked[0]?.get("authorization")).toBe(`Bearer ${apiKey}`);
    expect(await balanceOf(account)).toEqual(fresh);
    expect(asked).toHaveLength(1);
  });

  it("C3 stays what it was when the upstream refuses, whose words are masked", async () => {
    const accessToken = unique("sk-ant-oat01");
    const account = await createAccount({
      provider: "claude-oauth",
      credential: { accessToken },
      baseUrl: null,
    });
    const url = "https://api.anthropic.com/api/oauth/usage";
    vendorAnswers(url, () => Response.json({ five_hour: { utilization: 40, resets_at: null } }));
    const fresh = await balanceOf(account, "?fresh=true");
    expect(fresh).toMatchObject({ balance: { windows: [{ id: "5h", utilization: 0.4 }] } });
    vi.restoreAllMocks();
    vendorAnswers(url, () => new Response(`no scope for ${accessToken}`, { status: 403 }));
    const refused = await balanceOf(account, "?fresh=true");
    expect(refused).toMatchObject({ balance: fresh["balance"], at: fresh["at"] });
    expect(refused["error"]).toMatch(/HTTP 403: no scope for/);
    expect(JSON.stringify(refused)).not.toContain(accessToken);
  });
});
