/** Holds requests until a test lets them go. */

export type Gates = ReturnType<typeof createGates>;

export function createGates() {
  const released = new Set<string>();
  const waiting = new Map<string, (() => void)[]>();

  return {
    async pass(gate: string): Promise<void> {
      if (released.has(gate)) return;
      await new Promise<void>((resolve) => {
        waiting.set(gate, [...(waiting.get(gate) ?? []), resolve]);
      });
    },

    release(gate: string): void {
      released.add(gate);
      for (const go of waiting.get(gate) ?? []) go();
      waiting.delete(gate);
    },

    /** Lets everybody go, and shuts the gates again. */
    reset(): void {
      for (const go of [...waiting.values()].flat()) go();
      waiting.clear();
      released.clear();
    },
  };
}
