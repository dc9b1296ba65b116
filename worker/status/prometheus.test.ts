import { describe, expect, it } from "vitest";
import { render } from "./prometheus.ts";

describe("render", () => {
  it("writes help and type once, then a line for each sample", () => {
    const samples = [
      { labels: { model: "a", outcome: "ok" }, value: 3 },
      { labels: {}, value: 0.25 },
    ];
    expect(render([{ name: "relay_requests_total", help: "Requests.", type: "counter", samples }])).toBe(
      "# HELP relay_requests_total Requests.\n" +
        "# TYPE relay_requests_total counter\n" +
        'relay_requests_total{model="a",outcome="ok"} 3\n' +
        "relay_requests_total 0.25\n",
    );
  });

  it("lets no label break out of its quotes or its line", () => {
    const samples = [{ labels: { model: 'a"} 1\nforged{x="\\' }, value: 1 }];
    expect(render([{ name: "m", help: "x\ny", type: "gauge", samples }])).toBe(
      '# HELP m x\\ny\n# TYPE m gauge\nm{model="a\\"} 1\\nforged{x=\\"\\\\"} 1\n',
    );
  });
});
