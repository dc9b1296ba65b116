import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ChildFailure, runToEnd, startChild } from "./processes.ts";

const options = { cwd: "/", env: process.env };

/** A shell that starts a grandchild, tells its process id and then waits for ever. */
const FAMILY = ["sh", "-c", "sleep 600 & echo $!; wait"];

async function startFamily(): Promise<{ child: ReturnType<typeof startChild>; grandchild: number }> {
  return new Promise((resolve) => {
    const child = startChild("family", FAMILY, {
      ...options,
      onLine: (line) => {
        resolve({ child, grandchild: Number(line) });
      },
    });
  });
}

/** True once the process is dead; one that nobody has reaped yet is dead too. */
async function isGone(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const stat = await readFile(`/proc/${String(pid)}/stat`, "utf8").catch(() => null);
    if (stat === null || stat.includes(") Z")) return true;
    await sleep(10);
  }
  return false;
}

describe("startChild", () => {
  it("stops the whole family", async () => {
    const { child, grandchild } = await startFamily();
    await child.stop();
    expect(await isGone(grandchild)).toBe(true);
  });

  it("kills the whole family", async () => {
    const { child, grandchild } = await startFamily();
    child.kill();
    expect(await child.exited).toBe(1);
    expect(await isGone(grandchild)).toBe(true);
  });

  it("leaves no grandchild when the child ends by itself", async () => {
    const lines: string[] = [];
    const command = ["sh", "-c", "sleep 600 & echo $!; exit 7"];
    const child = startChild("short", command, { ...options, onLine: (line) => lines.push(line) });
    expect(await child.exited).toBe(7);
    expect(await isGone(Number(lines[0]))).toBe(true);
  });

  it("kills the family when the program that started it is killed", async () => {
    const module = JSON.stringify(new URL("./processes.ts", import.meta.url).href);
    const program = `
      const { startChild } = await import(${module});
      startChild("family", ${JSON.stringify(FAMILY)}, {
        cwd: "/", env: process.env, onLine(line) { console.log(line); process.kill(process.pid, "SIGKILL"); },
      });`;
    const lines: string[] = [];
    const command = [process.execPath, "--input-type=module", "--eval", program];
    const parent = startChild("parent", command, { ...options, onLine: (line) => lines.push(line) });
    await parent.exited;
    expect(lines).toHaveLength(1);
    expect(await isGone(Number(lines[0]))).toBe(true);
  });
});

describe("runToEnd", () => {
  it("throws with the exit code and the last output", async () => {
    const failure = await runToEnd("it", ["sh", "-c", "echo too bad; exit 3"], options).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ChildFailure);
    expect(failure).toMatchObject({ exitCode: 3, message: expect.stringContaining("too bad") as string });
  });

  it("kills the command on abort", async () => {
    const signal = AbortSignal.timeout(50);
    await expect(runToEnd("it", ["sleep", "600"], { ...options, signal })).rejects.toThrow("timeout");
  });
});
