import { describe, expect, it } from "vitest";
import { balanceCall } from "./balance.ts";

describe("balanceCall", () => {
  it.each([
    [
      "https://api.deepseek.com/v1",
      "https://api.deepseek.com/user/balance",
      { is_available: true, balance_infos: [{ currency: "CNY", total_balance: "110.00" }] },
      [{ currency: "CNY", remaining: 110 }],
    ],
    [
      "https://openrouter.ai/api/v1",
      "https://openrouter.ai/api/v1/credits",
      { data: { total_credits: 25, total_usage: 10.5 } },
      [{ currency: "USD", remaining: 14.5 }],
    ],
    [
      "https://api.moonshot.cn/v1",
      "https://api.moonshot.cn/v1/users/me/balance",
      { code: 0, data: { available_balance: 49.5 } },
      [{ currency: "CNY", remaining: 49.5 }],
    ],
  ])("of %s asks %s", (baseUrl, url, answer, amounts) => {
    const call = balanceCall("sk-key", baseUrl);
    expect(call?.url).toBe(url);
    expect(call?.headers.get("authorization")).toBe("Bearer sk-key");
    expect(call?.parse(JSON.stringify(answer))).toEqual({ amounts, windows: [] });
    for (const strange of ["", "null", "[]", "<html>", '{"data":{}}'])
      expect(call?.parse(strange)).toBeNull();
  });

  it.each([null, "https://api.openai.com/v1", "https://deepseek.com.evil.test", "nonsense"])(
    "knows nothing of %s",
    (baseUrl) => {
      expect(balanceCall("sk-key", baseUrl)).toBeNull();
    },
  );
});
