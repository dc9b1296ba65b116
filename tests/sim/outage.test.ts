import { expect, it } from "vitest";
import { POLICIES } from "../../worker/domain/group.ts";
import { evenPool } from "./pool.ts";
import { Traffic } from "./traffic.ts";
import { World } from "./world.ts";

const MINUTE = 60_000;
const ACCOUNTS = 6;

it.each(POLICIES)("%s: with an account down for ten minutes its sessions move once and stay", (policy) => {
  const pool = evenPool(ACCOUNTS, 50, policy);
  const [down] = pool.accounts;
  if (down === undefined) throw new Error("no account");
  const world = new World({ seed: 5, startAt: Date.UTC(2030, 2, 17), pool });
  const traffic = {
    requests: 4000,
    sessions: 200,
    load: 0.15,
    named: true,
    parallelChance: 0,
    countChance: 0,
  };
  new Traffic(world, traffic).start();
  world.timeline.after(2 * MINUTE, () => {
    world.upstream.strike(down.id, "unreachable", "", world.timeline.now() + 10 * MINUTE);
  });
  let servedBefore = 0;
  world.timeline.after(13 * MINUTE, () => {
    servedBefore = world.statistics.requestsOf.get(down.id) ?? 0;
  });
  world.run();

  const { paths, requestsOf } = world.statistics;
  const moved = paths.filter((path) => path.length > 1);
  expect(moved.length).toBeGreaterThan(3);
  for (const path of moved) {
    expect(path).toHaveLength(2);
    expect(path[0]).toBe(down.id);
  }
  // It is back in use by then, for those who did not move and those who came later.
  expect(requestsOf.get(down.id)).toBeGreaterThan(servedBefore);
});
