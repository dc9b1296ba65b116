/** A broken promise, with all it takes to see it again. */

export class Violation extends Error {
  override readonly name = "Violation";
  readonly seed: number;
  readonly step: number;
  readonly invariant: string;

  constructor(found: { seed: number; step: number; invariant: string; detail: string }) {
    super(
      `seed ${String(found.seed)}, step ${String(found.step)}: broke the invariant "${found.invariant}": ${found.detail}`,
    );
    this.seed = found.seed;
    this.step = found.step;
    this.invariant = found.invariant;
  }
}
