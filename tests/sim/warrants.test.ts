/** Warrants under every order of questions, news, changes and delays: what was changed holds once that is said. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Warrants } from "../../durable-objects/warrants.ts";
import { WARRANT_MS, type Warrant } from "../../worker/domain/warrant.ts";
import { HeldWarrants } from "../../worker/relay/warrants.ts";

const ISOLATES = 3;
const QUESTION = "like all others";

/** Questions and news travel in both directions for a while; a change is made where the object is. */
const event = fc.record({
  kind: fc.constantFrom("ask", "tell", "end", "change"),
  at: fc.integer({ min: 0, max: 4 * WARRANT_MS }),
  isolate: fc.integer({ min: 0, max: ISOLATES - 1 }),
  thereMs: fc.integer({ min: 0, max: WARRANT_MS }),
  backMs: fc.integer({ min: 0, max: WARRANT_MS }),
});

interface Step {
  readonly at: number;
  readonly run: () => void;
}

/** One object, and isolates that hold its warrants. A grant is the version of the object's state that gave it. */
class World {
  readonly #isolates = Array.from({ length: ISOLATES }, () => new HeldWarrants<string, number>());
  readonly #steps: Step[] = [];
  #terms = 0;
  readonly #object = new Warrants(() => `term ${String(this.#terms++)}`);
  #version = 0;
  /** What must hold from when on: the version that was in force when its change was answered. */
  readonly answered: { readonly at: number; readonly version: number }[] = [];

  later(at: number, run: () => void): void {
    this.#steps.push({ at, run });
  }

  schedule({ kind, at, isolate, thereMs, backMs }: typeof event extends fc.Arbitrary<infer E> ? E : never) {
    const held = this.#isolates[isolate] ?? new HeldWarrants<string, number>();
    const travel = (arrive: (warrant: Warrant, version: number) => void) => {
      this.later(at + thereMs, () => {
        const warrant = this.#object.give(at + thereMs);
        const version = this.#version;
        this.later(at + thereMs + backMs, () => {
          arrive(warrant, version);
        });
      });
    };
    if (kind === "ask") {
      travel((warrant, version) => {
        held.keep("object", QUESTION, { grant: version, warrant: warrant }, at);
      });
    } else if (kind === "tell") {
      travel((warrant) => {
        held.renew("object", warrant, at);
      });
    } else if (kind === "end") {
      this.later(at, () => {
        held.end("object");
      });
    } else {
      this.later(at, () => {
        const version = ++this.#version;
        this.answered.push({ at: at + this.#object.recall(at), version });
      });
    }
  }

  /** Runs everything in the order of time. @param look at every instant something happened, and just before */
  run(look: (now: number, grants: readonly (number | null)[]) => void): void {
    while (this.#steps.length > 0) {
      this.#steps.sort((a, b) => a.at - b.at);
      const step = this.#steps.shift();
      if (step === undefined) return;
      step.run();
      for (const now of [step.at, ...this.answered.map(({ at }) => at).filter((at) => at >= step.at)]) {
        look(
          now,
          this.#isolates.map((held) => held.find("object", QUESTION, now)),
        );
      }
    }
  }
}

describe("a change that was answered", () => {
  it("holds in every isolate, however long questions and answers travel", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const world = new World();
        for (const each of events) world.schedule(each);
        world.run((now, grants) => {
          const inForce = Math.max(
            0,
            ...world.answered.filter(({ at }) => at <= now).map((each) => each.version),
          );
          for (const grant of grants) if (grant !== null) expect(grant).toBeGreaterThanOrEqual(inForce);
        });
      }),
      { numRuns: 500 },
    );
  });

  it("is answered within the life of a warrant, and at once where none was given", () => {
    const object = new Warrants(() => "term");
    expect(object.recall(1000)).toBe(0);
    object.give(1000);
    expect(object.recall(1500)).toBe(WARRANT_MS - 500);
    expect(object.recall(1000 + WARRANT_MS)).toBe(0);
    expect(object.recall(-50_000)).toBe(WARRANT_MS);
  });
});

describe("a warrant for another edition of what is granted, such as a refreshed token,", () => {
  it("renews none from before, and is answered for without a wait", () => {
    const [object, isolate] = [new Warrants(() => "term"), new HeldWarrants<string, string>()];
    isolate.keep("a", "one", { grant: "old token", warrant: object.give(1000, 1) }, 1000);
    isolate.renew("a", object.give(1100, 1), 1100);
    expect(isolate.find("a", "one", 1100)).toBe("old token");
    isolate.renew("a", object.give(1200, 2), 1200);
    expect(isolate.find("a", "one", 1200)).toBeNull();
  });
});

describe("an isolate", () => {
  const warrant = (term: string): Warrant => ({ term, forMs: WARRANT_MS });
  const held = () => {
    const warrants = new HeldWarrants<string, string>();
    warrants.keep("a", "one", { grant: "yes", warrant: warrant("t") }, 1000);
    return warrants;
  };

  it("grants like questions until the end, counted from when it asked", () => {
    expect(held().find("a", "one", 1000)).toBe("yes");
    expect(held().find("a", "one", 999 + WARRANT_MS)).toBe("yes");
    expect(held().find("a", "one", 1000 + WARRANT_MS)).toBeNull();
    expect(held().find("a", "two", 1000)).toBeNull();
    expect(held().find("b", "one", 1000)).toBeNull();
  });

  it("asks when its clock was set back", () => {
    expect(held().find("a", "one", 999)).toBeNull();
  });

  it("is given more time by news under the same term alone", () => {
    const renewed = held();
    renewed.renew("a", warrant("t"), 2000);
    expect(renewed.find("a", "one", 1999 + WARRANT_MS)).toBe("yes");
    renewed.renew("a", warrant("u"), 2500);
    expect(renewed.find("a", "one", 2500)).toBeNull();
    const refused = held();
    refused.renew("a", null, 1500);
    expect(refused.find("a", "one", 1500)).toBeNull();
  });

  it("gets none back by news that were sent after its end", () => {
    const late = held();
    late.renew("a", warrant("t"), 1000 + WARRANT_MS);
    expect(late.find("a", "one", 1000 + WARRANT_MS)).toBeNull();
  });

  it("keeps answers of one term together, and forgets those of another", () => {
    const warrants = held();
    warrants.keep("a", "two", { grant: "also", warrant: warrant("t") }, 1100);
    expect([warrants.find("a", "one", 1100), warrants.find("a", "two", 1100)]).toEqual(["yes", "also"]);
    warrants.keep("a", "three", { grant: "new", warrant: warrant("u") }, 1200);
    expect([warrants.find("a", "one", 1200), warrants.find("a", "three", 1200)]).toEqual([null, "new"]);
  });

  it("ends one as soon as it learns better", () => {
    const warrants = held();
    warrants.end("a");
    expect(warrants.find("a", "one", 1000)).toBeNull();
  });
});
