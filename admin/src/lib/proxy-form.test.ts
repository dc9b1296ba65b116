import { describe, expect, it } from "vitest";
import { proxyText, proxyValues, readProxy } from "./proxy-form";

function formOf(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

describe("readProxy", () => {
  const fields = { proxyType: "http", proxyHost: " proxy.test ", proxyPort: "3128", proxyUsername: "me" };

  it("reads the fields, and a password as it was typed", () => {
    expect(readProxy(formOf({ ...fields, proxyPassword: " secret " }))).toEqual({
      type: "http",
      host: "proxy.test",
      port: 3128,
      username: "me",
      password: " secret ",
    });
  });

  it("prefers an address that was pasted", () => {
    const url = "socks5://me:secret@proxy.test:1080";
    expect(readProxy(formOf({ ...fields, proxyUrl: url }))).toBe(url);
  });

  it("takes no type for no proxy", () => {
    expect(readProxy(formOf({ ...fields, proxyType: "" }))).toBeNull();
  });
});

describe("proxyValues", () => {
  it("fills what readProxy reads, and never a password", () => {
    const place = { type: "socks5", host: "proxy.test", port: 1080, username: "me" } as const;
    const values = proxyValues({ ...place, password: "secret" });
    expect(Object.values(values)).not.toContain("secret");
    expect(readProxy(formOf(values))).toEqual({ ...place, password: "" });
  });
});

describe("proxyText", () => {
  it("names a proxy without its user", () => {
    expect(proxyText({ type: "socks5", host: "::1", port: 1080 })).toBe("SOCKS5 [::1]:1080");
    expect(proxyText({ type: "https", host: "proxy.test", port: 443 })).toBe("HTTPS proxy.test:443");
  });
});
