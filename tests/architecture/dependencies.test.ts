/** What we run of others is pinned and may run nothing at installation that nobody approved. Security case C12. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { z } from "zod";

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), "utf8"));

const lock = z
  .object({
    packages: z.record(
      z.string(),
      z.object({
        version: z.string().optional(),
        integrity: z.string().optional(),
        resolved: z.string().optional(),
        hasInstallScript: z.boolean().optional(),
        dev: z.boolean().optional(),
      }),
    ),
  })
  .parse(read("package-lock.json"));
const manifest = z
  .object({
    dependencies: z.record(z.string(), z.string()),
    allowScripts: z.record(z.string(), z.boolean()),
  })
  .parse(read("package.json"));

const packages = Object.entries(lock.packages).filter(([place]) => place !== "");
const nameOf = (place: string) => place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);

it("C12: every package has the digest of what was looked at, and comes from wherever npm is told to", () => {
  expect(packages.length).toBeGreaterThan(100);
  for (const [place, { integrity, resolved }] of packages) {
    expect(integrity, place).toMatch(/^sha512-/);
    expect(resolved, place).toBeUndefined();
  }
});

it("C12: what the worker runs is of one exact version, and has no script of its own", () => {
  for (const [name, version] of Object.entries(manifest.dependencies)) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    expect(lock.packages[`node_modules/${name}`], name).toMatchObject({ version });
  }
  const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  for (const [place, { dev }] of scripted) expect(dev, place).toBe(true);
});

it("C12: only named packages may run something at installation", () => {
  const allowed = Object.keys(manifest.allowScripts).filter((name) => manifest.allowScripts[name] === true);
  const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  const names = new Set(scripted.map(([place]) => nameOf(place)));
  // It asks for money, and works without.
  names.delete("protobufjs");
  expect([...names].sort()).toEqual(allowed.sort());
});
