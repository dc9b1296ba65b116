import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hostAndPort, isSamePlace, parseProxyUrl, proxyInputSchema } from "./proxy.ts";

const problemsOf = (input: unknown): string[] =>
  proxyInputSchema
    .safeParse(input)
    .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];

describe("proxyInputSchema", () => {
  it("takes fields", () => {
    const fields = { type: "socks5", host: "Proxy.Example", port: 1080, username: "me", password: "secret" };
    expect(proxyInputSchema.parse(fields)).toEqual({ ...fields, host: "proxy.example" });
  });

  it("takes an address, as proxies are handed out", () => {
    expect(proxyInputSchema.parse(" socks5h://me:p%40ss%3A@proxy.example:1080/ ")).toEqual({
      type: "socks5",
      host: "proxy.example",
      port: 1080,
      username: "me",
      password: "p@ss:",
    });
  });

  it("takes an address without a user", () => {
    const bare = { port: 3128, username: null, password: null };
    expect(proxyInputSchema.parse("http://10.0.0.1:3128")).toEqual({
      ...bare,
      type: "http",
      host: "10.0.0.1",
    });
    expect(proxyInputSchema.parse("https://[2001:DB8::1]:3128")).toEqual({
      ...bare,
      type: "https",
      host: "2001:db8::1",
    });
  });

  it("undoes notations that would hide an address", () => {
    expect(proxyInputSchema.parse({ type: "http", host: "2130706433", port: 1 }).host).toBe("127.0.0.1");
  });

  it("takes the empty fields of a form for absent ones", () => {
    const entered = { type: "http", host: "proxy.example", port: 1, username: "", password: "" };
    expect(proxyInputSchema.parse(entered)).toMatchObject({ username: null, password: null });
  });

  it.each([
    ["ftp://proxy.example:21", /^: must look like socks5:/],
    ["socks5://proxy.example", /^: must look like socks5:/],
    ["socks5://proxy.example:99999", /^port: /],
    ["socks5://:secret@proxy.example:1080", /^username: is missing beside the password/],
    [{ type: "socks4", host: "proxy.example", port: 1 }, /^type: /],
    [{ type: "http", host: "proxy.example/path", port: 1 }, /^host: must be a host name/],
    [{ type: "http", host: "a b", port: 1 }, /^host: must be a host name/],
    [{ type: "http", host: "", port: 1 }, /^host: must be a host name/],
    [{ type: "http", host: "proxy.example", port: 0 }, /^port: /],
    [{ type: "http", host: "proxy.example", port: "80" }, /^port: /],
    [{ type: "http", host: "proxy.example", port: 1, password: "secret" }, /^username: is missing/],
    [{ type: "http", host: "proxy.example", port: 1, username: "a:b", password: "x" }, /^username: .*colon/],
    [
      { type: "socks5", host: "proxy.example", port: 1, username: "a\nb", password: "x" },
      /^username: .*control/,
    ],
    [
      { type: "socks5", host: "proxy.example", port: 1, username: "é".repeat(200), password: "x" },
      /255 bytes/,
    ],
  ])("refuses %j and says what is wrong with it", (input, problem) => {
    expect(problemsOf(input)[0]).toMatch(problem);
  });

  it("never repeats a password in what it says", () => {
    expect(problemsOf("gopher://me:hunter2@proxy.example:1").join()).not.toContain("hunter2");
  });
});

describe("parseProxyUrl", () => {
  it("finds user and password again, whatever characters they have", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(text, text, (username, password) => {
        const url = `socks5://${encodeURIComponent(username)}:${encodeURIComponent(password)}@proxy.example:1080`;
        expect(parseProxyUrl(url)).toMatchObject({ username, password, host: "proxy.example", port: 1080 });
      }),
    );
  });

  it("finds a password that was not encoded", () => {
    expect(parseProxyUrl("http://me:p@ss%@proxy.example:8080")).toMatchObject({ password: "p@ss%" });
  });
});

describe("isSamePlace", () => {
  const place = { type: "http", host: "proxy.example", port: 1, username: "me" } as const;

  it("holds for the same user of the same proxy only", () => {
    expect(isSamePlace(place, { ...place })).toBe(true);
    for (const other of [
      { type: "socks5" as const },
      { host: "evil.example" },
      { port: 2 },
      { username: "you" },
    ]) {
      expect(isSamePlace(place, { ...place, ...other })).toBe(false);
    }
  });
});

describe("hostAndPort", () => {
  it("puts IPv6 addresses into brackets", () => {
    expect(hostAndPort({ host: "::1", port: 80 })).toBe("[::1]:80");
    expect(hostAndPort({ host: "proxy.example", port: 80 })).toBe("proxy.example:80");
  });
});
