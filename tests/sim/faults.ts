/** What goes wrong, and how often; and whatever else happens that no request asked for. */
import { anyModel } from "./pool.ts";
import type { Random } from "./random.ts";
import type { Restartable } from "./rooms.ts";
import { TROUBLES } from "./upstream.ts";
import type { World } from "./world.ts";

export interface Faults {
  /** That a question or an answer is lost, each. */
  readonly lossChance: number;
  /** That a question arrives once more, a while later. */
  readonly repeatChance: number;
  /** That a request's worker dies, at any of its steps. */
  readonly deathChance: number;
  /** That the client leaves before the end. */
  readonly leaveChance: number;
  /** That an answer breaks off. */
  readonly breakChance: number;
  /** Mean times between two of a kind, for one object, isolate or account, in ms; Infinity: never. */
  readonly restartMs: number;
  /** That an object restarts just after it said yes to somebody. */
  readonly restartChance: number;
  readonly isolateDeathMs: number;
  readonly troubleMs: number;
  /** For all accounts at once. */
  readonly outageMs: number;
  /** Between two changes that an admin makes. */
  readonly changeMs: number;
}

const MINUTE = 60_000;

export const NO_FAULTS: Faults = {
  lossChance: 0,
  repeatChance: 0,
  deathChance: 0,
  leaveChance: 0,
  breakChance: 0,
  restartMs: Infinity,
  restartChance: 0,
  isolateDeathMs: Infinity,
  troubleMs: Infinity,
  outageMs: Infinity,
  changeMs: Infinity,
};

/** Far more than any deployment sees in years. */
export const ALL_FAULTS: Faults = {
  lossChance: 0.01,
  repeatChance: 0.01,
  deathChance: 0.01,
  leaveChance: 0.05,
  breakChance: 0.02,
  restartMs: 10 * MINUTE,
  restartChance: 0.002,
  isolateDeathMs: 10 * MINUTE,
  troubleMs: 40 * MINUTE,
  outageMs: 60 * MINUTE,
  changeMs: 4 * MINUTE,
};

/** What a quiet day looks like: accounts reach their limits now and then, and nothing else goes wrong. */
export const LIMITS_ONLY: Faults = { ...NO_FAULTS, leaveChance: 0.02, troubleMs: 120 * MINUTE };

const DOWN_MS_MAX = 400;
const TROUBLE_MEAN_MS = 4 * MINUTE;
const OUTAGE_MS_MAX = 2 * MINUTE;
/** A person looks after an account that its upstream closed about as often as this. */
const MENDED_AFTER_MS = 5 * MINUTE;

/** Sets going what happens on its own, until the world has had its last request. */
export function setGoing(world: World, random: Random, faults: Faults): void {
  const again = (meanMs: number, happen: () => void): void => {
    if (meanMs === Infinity) return;
    world.timeline.after(random.interval(meanMs), () => {
      if (world.isEnding) return;
      happen();
      again(meanMs, happen);
    });
  };
  const { accounts, keys } = world.pool;
  for (const room of world.rooms) {
    again(faults.restartMs, () => {
      if (room.isUp) room.restart(random.between(1, DOWN_MS_MAX));
    });
  }
  for (const isolate of world.isolates) {
    again(faults.isolateDeathMs, () => {
      world.killAllIn(isolate);
    });
  }
  for (const { id } of accounts) {
    again(faults.troubleMs, () => {
      const until = world.timeline.now() + random.interval(TROUBLE_MEAN_MS);
      world.upstream.strike(id, random.pick(TROUBLES), anyModel(random), until);
    });
    again(faults.troubleMs === Infinity ? Infinity : MENDED_AFTER_MS, () => {
      const room = world.account(id);
      if (room.state.stopped !== null) room.reset();
    });
  }
  again(faults.outageMs, () => {
    const until = world.timeline.now() + random.between(1000, OUTAGE_MS_MAX);
    for (const { id } of accounts) world.upstream.strike(id, "overloaded", "", until);
  });
  again(faults.changeMs, () => {
    if (random.chance(0.5)) world.configureAccount(random.pick(accounts), change(random));
    else world.configureKey(random.pick(keys), random.between(-1, 2));
  });
}

/** Within the time in which a grant may not be written yet, mostly. */
const SOON_MS_MAX = 40;

/** An object has just granted something: now and then that is the last thing it does. */
export function restartSoon(world: World, room: Restartable): void {
  if (world.isEnding || !world.random.chance(world.faults.restartChance)) return;
  world.timeline.after(world.random.below(SOON_MS_MAX), () => {
    if (room.isUp) room.restart(world.random.between(1, DOWN_MS_MAX));
  });
}

/** What an admin does to an account; each such change starts from how the account was made. */
function change(random: Random): { enabled?: boolean; weight?: number; maxConcurrency?: number } {
  if (random.chance(0.4)) return {};
  return random.pick([{ enabled: false }, { weight: 300 }, { maxConcurrency: 1 }, { maxConcurrency: 10 }]);
}
