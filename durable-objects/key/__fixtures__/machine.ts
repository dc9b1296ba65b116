/** A key's state machine with a clock: what a test does to it changes it. */
import type { KeyConfig } from "../../../worker/domain/key.ts";
import type { AdmitRequest } from "../../../worker/domain/permit.ts";
import { admit, wake, type Admission } from "../admission.ts";
import { settle } from "../permits.ts";
import { configure, emptyState, type KeyState } from "../state.ts";
import { config, DEPLOYMENT, ended, NOW } from "./builders.ts";

export class Machine {
  state: KeyState;
  now = NOW;

  constructor(overrides: Partial<KeyConfig> = {}) {
    this.state = emptyState(config(overrides));
  }

  admit(request: AdmitRequest): Admission {
    const { state, decision } = admit(this.state, request, DEPLOYMENT, this.now);
    this.state = state;
    return decision;
  }

  /** What an admission comes to in a word: `admitted`, `waiting`, or the reason of the refusal. */
  try(request: AdmitRequest): string {
    const decision = this.admit(request);
    return decision.kind === "refused" ? (decision.error.reason ?? decision.error.code) : decision.kind;
  }

  settle(number: number, cost: number, overrides: Partial<Parameters<typeof settle>[1]> = {}): void {
    this.state = settle(this.state, ended(number, { cost, ...overrides }), DEPLOYMENT, this.now);
  }

  wake() {
    const { state, decision } = wake(this.state, DEPLOYMENT, this.now);
    this.state = state;
    return decision.map(({ requestId: id, admission }) => [
      Number(id.slice(4)),
      admission.kind === "refused" ? admission.error.reason : admission.kind,
    ]);
  }

  configure(overrides: Partial<KeyConfig>): void {
    this.state = configure(this.state, { ...this.state.config, ...overrides }, DEPLOYMENT, this.now);
  }
}
