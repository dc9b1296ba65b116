/** Holds the whole tree to the dependency rule, and proves on planted files that the check sees a violation. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readImports, violations } from "./imports.ts";
import { ROOMS } from "./rooms.ts";

const root = join(import.meta.dirname, "../..");
const SOURCES = "{worker,durable-objects,cli}/**/*.ts";
const EGRESS_SOURCES = "egress/*.mjs";
const SITE_SOURCES = "admin/src/**/*.{ts,svelte}";

/** Tests may import what they like: they are not shipped. */
const isShipped = (path: string): boolean => !/\.test\.ts$|__fixtures__|\.d\.ts$/.test(path);

describe("the dependency rule", () => {
  it("holds in every file", () => {
    const files = globSync([SOURCES, SITE_SOURCES, EGRESS_SOURCES], { cwd: root }).filter(isShipped);
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap((path) => violations(path, readFileSync(join(root, path), "utf8")))).toEqual([]);
  });

  it("points one way: no two rooms import each other", () => {
    const importsOf = (name: string): readonly string[] =>
      ROOMS.find((room) => room.name === name)?.imports.filter((target) => !target.startsWith("type:")) ?? [];
    const reachable = (from: string): Set<string> => {
      const seen = new Set<string>();
      const visit = (name: string): void => {
        for (const next of importsOf(name).filter((target) => !seen.has(target))) {
          seen.add(next);
          visit(next);
        }
      };
      visit(from);
      return seen;
    };
    expect(ROOMS.map((room) => room.name).filter((name) => reachable(name).has(name))).toEqual([]);
  });

  it("names only rooms that exist", () => {
    const names = new Set(ROOMS.map((room) => room.name));
    const targets = ROOMS.flatMap((room) => room.imports.map((target) => target.replace("type:", "")));
    expect(targets.filter((target) => !names.has(target))).toEqual([]);
  });
});

describe("violations", () => {
  const planted: readonly (readonly [why: string, path: string, text: string])[] = [
    ["upwards", "worker/domain/key.ts", `import { relay } from "../relay/relay.ts";`],
    ["by type, upwards", "worker/domain/key.ts", `import type { Relay } from "../relay/relay.ts";`],
    ["by re-export", "worker/pricing/cost.ts", `export * from "../providers/index.ts";`],
    ["by import()", "worker/pricing/cost.ts", `const late = await import("../app.ts");`],
    ["by import type", "worker/pricing/cost.ts", `type App = import("../app.ts").App;`],
    ["a package into domain", "worker/domain/key.ts", `import { Hono } from "hono";`],
    [
      "the platform into a state",
      "durable-objects/key/state.ts",
      `import { env } from "cloudflare:workers";`,
    ],
    ["a shell into a state", "durable-objects/key/state.ts", `import { KeyObject } from "./object.ts";`],
    [
      "an object into the relay",
      "worker/relay/lease.ts",
      `import "../../durable-objects/account/object.ts";`,
    ],
    ["another provider", "worker/providers/ccr/index.ts", `import { judge } from "../bedrock/judge.ts";`],
    [
      "another protocol",
      "worker/protocols/gemini/parse.ts",
      `import { parse } from "../anthropic/parse.ts";`,
    ],
    ["a variant from what is shared", "worker/providers/anthropic-api/judge.ts", `import "../ccr/index.ts";`],
    ["the registry", "worker/providers/ccr/index.ts", `import { providers } from "../index.ts";`],
    [
      "admin values into the site",
      "admin/src/lib/api.ts",
      `import { a } from "../../../worker/admin/routes.ts";`,
    ],
    [
      "storage into a component",
      "admin/src/routes/+page.svelte",
      `<script lang="ts">import { sealed } from "../../../worker/storage/sealed.ts";</script><h1>hi</h1>`,
    ],
    ["test code", "worker/app.ts", `import { startUpstream } from "../tests/upstream/server.ts";`],
    ["an unknown room", "worker/helpers/text.ts", ``],
  ];

  it.each(planted)("catches %s", (_why, path, text) => {
    expect(violations(path, text)).toHaveLength(1);
  });

  const allowed: readonly (readonly [why: string, path: string, text: string])[] = [
    ["downwards", "worker/relay/relay.ts", `import { judge } from "../providers/index.ts";`],
    ["its own folder", "worker/providers/ccr/index.ts", `import { judge } from "./judge.ts";`],
    ["what variants share", "worker/providers/ccr/index.ts", `import "../anthropic-api/judge.ts";`],
    ["the interface beside it", "worker/providers/ccr/index.ts", `import type { P } from "../provider.ts";`],
    ["a variant into the registry", "worker/providers/index.ts", `import { ccr } from "./ccr/index.ts";`],
    ["zod into domain", "worker/domain/key.ts", `import { z } from "zod";`],
    [
      "a contract into the relay",
      "worker/relay/lease.ts",
      `import "../../durable-objects/account/contract.ts";`,
    ],
    [
      "admin types into the site",
      "admin/src/lib/api.ts",
      `import { type Api } from "../../../worker/admin/routes.ts";`,
    ],
  ];

  it.each(allowed)("allows %s", (_why, path, text) => {
    expect(violations(path, text)).toEqual([]);
  });
});

describe("readImports", () => {
  it("tells an import that the compiler erases from one that it keeps", () => {
    const text = `import type { A } from "a"; import { type B } from "b"; import { type C, d } from "c"; import "e";`;
    expect(readImports("x.ts", text)).toEqual([
      { specifier: "a", typeOnly: true },
      { specifier: "b", typeOnly: true },
      { specifier: "c", typeOnly: false },
      { specifier: "e", typeOnly: false },
    ]);
  });
});
