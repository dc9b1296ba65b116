/** Holds the admin API's document to the OpenAPI standard and to the routes that there are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { describe, expect, it, vi } from "vitest";

// Only calls through a tunnel need it, and nothing is called here.
vi.mock("cloudflare:sockets", () => ({ connect: () => undefined }));

interface Handler {
  readonly method: string;
  readonly path: string;
  readonly handler: object;
}
interface Documenting {
  readonly apiDocument: (handlers: readonly Handler[]) => {
    readonly info: { readonly version: string };
    readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  };
}

// By names that the compiler does not follow: the routes are typed for workerd, and these tests for Node.
const root = join(import.meta.dirname, "../..");
const { documentedRoutes } = (await import(join(root, "worker/admin/routes.ts"))) as {
  documentedRoutes: () => readonly Handler[];
};
const { apiDocument } = (await import(join(root, "worker/api-document/document.ts"))) as Documenting;

describe("the admin API's document", () => {
  const document = apiDocument(documentedRoutes());

  it("is clean OpenAPI 3.1", async () => {
    const config = await createConfig({
      extends: ["recommended"],
      // The program is not published under a licence, some routes refuse nobody, and one only leads elsewhere.
      rules: {
        "info-license": "off",
        "operation-2xx-response": "off",
        "operation-4xx-response": "off",
      },
    });
    const problems = await lintFromString({ source: JSON.stringify(document), config });
    const told = problems.map(
      ({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer ?? ""})`,
    );
    // A WebSocket answers 101.
    const isFeed = (problem: string) =>
      problem.startsWith("operation-2xx-response") && problem.includes("~1admin~1feed/get");
    expect(told.filter((problem) => !isFeed(problem))).toEqual([]);
  });

  it("has every route that is registered, and nothing else", () => {
    const registered = documentedRoutes()
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}")}`);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.toSorted()).toEqual([...new Set(registered)].toSorted());
    expect(described.length).toBeGreaterThan(30);
  });

  it("cannot be made while a route is not documented", () => {
    const handler = () => undefined;
    expect(() => apiDocument([{ method: "GET", path: "/new", handler }])).toThrow(
      "GET /new is not documented",
    );
  });

  it("has the version of package.json", () => {
    const text = readFileSync(join(root, "package.json"), "utf8");
    expect(document.info.version).toBe((JSON.parse(text) as { version: string }).version);
  });
});
