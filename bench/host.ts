/**
 * Runs one bundled worker in a workerd of its own until it is stopped: `node bench/host.ts <bundle> <state> <upstream>`.
 * The last line it prints says where the worker listens and which process to measure.
 */
import { startMiniflare } from "./miniflare.ts";
import { childrenOf } from "./process-stats.ts";

const [bundle = "", state = "", upstream = ""] = process.argv.slice(2);
const { url } = await startMiniflare({ bundle, state, upstream });
const [workerd] = childrenOf(process.pid, "workerd");
if (workerd === undefined) throw new Error("Miniflare has no workerd");
console.log(`worker ready on ${new URL(url).port} in process ${String(workerd)}`);
