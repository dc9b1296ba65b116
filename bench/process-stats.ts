/** What processes have used so far, from /proc (Linux, proc(5)). */
import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ: the unit of the times in /proc, 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;

interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  readonly parent: number;
  /** CPU time of all threads, user and system. */
  readonly cpuMs: number;
  /** The same of the children that have ended. */
  readonly endedChildrenMs: number;
}

function statOf(pid: number): ProcessStat {
  const text = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
  // The name itself may contain anything, brackets too.
  const nameEnd = text.lastIndexOf(")");
  const fields = text
    .slice(nameEnd + 2)
    .split(" ")
    .map(Number);
  const [, parent = 0] = fields;
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11);
  return {
    pid,
    name: text.slice(text.indexOf("(") + 1, nameEnd),
    parent,
    cpuMs: (user + system) * MS_PER_TICK,
    endedChildrenMs: (endedUser + endedSystem) * MS_PER_TICK,
  };
}

function allStats(): ProcessStat[] {
  const pids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return pids.flatMap((pid) => {
    try {
      return [statOf(Number(pid))];
    } catch {
      // It ended while we looked.
      return [];
    }
  });
}

export const cpuMs = (pid: number): number => statOf(pid).cpuMs;

/** Resident memory, in MB. */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return Number(kilobytes) / 1024;
}

/** Processes of a name that this parent has started. */
export const childrenOf = (parent: number, name: string): number[] =>
  allStats()
    .filter((stat) => stat.parent === parent && stat.name === name)
    .map(({ pid }) => pid);

/** CPU time of a process and of all that it and its children have started. */
function familyMs(root: number, all: readonly ProcessStat[]): number {
  return all.reduce((sum, stat) => {
    if (stat.pid === root) return sum + stat.cpuMs + stat.endedChildrenMs;
    return stat.parent === root ? sum + familyMs(stat.pid, all) : sum;
  }, 0);
}

/** CPU time that the machine has spent on processes which are not ours. */
export function othersCpuMs(): number {
  const [, ...fields] = readFileSync("/proc/stat", "utf8").split("\n", 1)[0]?.split(/\s+/) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, stolen = 0] = fields.map(Number);
  const busyMs = (user + nice + system + irq + softIrq + stolen) * MS_PER_TICK;
  return busyMs - familyMs(process.pid, allStats());
}
