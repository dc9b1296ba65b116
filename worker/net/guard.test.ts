import { describe, expect, it } from "vitest";
import { assertAllowedHost, assertAllowedTarget } from "./guard.ts";

describe("assertAllowedTarget", () => {
  it.each([
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://10.1.2.3/",
    "https://172.31.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://api.localhost/",
    "https://metadata.google.internal/",
    "https://printer/",
    "http://api.anthropic.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "not a url",
  ])("refuses %s", (address) => {
    expect(() => {
      assertAllowedTarget(address, false);
    }).toThrow();
  });

  it.each([
    "https://api.anthropic.com",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]/",
    "https://172.32.0.1/",
  ])("allows %s", (address) => {
    expect(() => {
      assertAllowedTarget(address, false);
    }).not.toThrow();
  });

  it("allows loopback where the deployment says so, but no other scheme", () => {
    expect(() => {
      assertAllowedTarget("http://127.0.0.1:9000/v1", true);
    }).not.toThrow();
    expect(() => {
      assertAllowedTarget("file:///etc/passwd", true);
    }).toThrow();
  });
});

describe("assertAllowedHost", () => {
  it.each(["127.0.0.1", "::1", "fd00::1", "169.254.169.254", "localhost", "proxy", "proxy.internal", "a b"])(
    "refuses %s",
    (host) => {
      expect(() => {
        assertAllowedHost(host, false);
      }).toThrow();
    },
  );

  it.each(["proxy.example.com", "8.8.8.8", "2606:4700::1111"])("allows %s", (host) => {
    expect(() => {
      assertAllowedHost(host, false);
    }).not.toThrow();
  });

  it("allows loopback where the deployment says so", () => {
    expect(() => {
      assertAllowedHost("127.0.0.1", true);
    }).not.toThrow();
  });
});
