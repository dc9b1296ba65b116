/** Starts the fake upstream and the proxy lab in Node, once for all integration tests, and tells them their URLs. */
import type { TestProject } from "vitest/node";
import { startLab } from "../../proxies/lab.ts";
import { startUpstream } from "../../upstream/server.ts";
import type {} from "./provided.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const upstream = await startUpstream();
  project.provide("upstreamUrl", upstream.url);
  const lab = await startLab(upstream.port);
  project.provide("proxyLabUrl", lab.url);
  return async () => {
    await lab.close();
    await upstream.close();
  };
}
