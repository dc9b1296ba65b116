/** Runs the fake upstream by hand: `node tests/upstream/main.ts --port 9000 [--record-bodies]`. */
import { parseArgs } from "node:util";
import { startUpstream } from "./server.ts";

const { values } = parseArgs({
  options: { port: { type: "string", default: "0" }, "record-bodies": { type: "boolean", default: false } },
});
const upstream = await startUpstream({ port: Number(values.port), recordBodies: values["record-bodies"] });
console.log(`upstream ready on ${upstream.url}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void upstream.close();
  });
}
