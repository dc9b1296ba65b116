/** Starts the fake upstream, the proxy lab, the receivers of notifications and the lists of prices in Node, once for all integration tests, and tells them their URLs. */
import type { TestProject } from "vitest/node";
import { startLab } from "../../proxies/lab.ts";
import { startPrices } from "../../prices/server.ts";
import { startReceivers } from "../../receivers/server.ts";
import { startUpstream } from "../../upstream/server.ts";
import type {} from "./provided.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const upstream = await startUpstream();
  project.provide("upstreamUrl", upstream.url);
  const lab = await startLab(upstream.port);
  project.provide("proxyLabUrl", lab.url);
  const receivers = await startReceivers();
  project.provide("receiversUrl", receivers.url);
  const prices = await startPrices();
  project.provide("pricesUrl", prices.url);
  return async () => {
    await prices.close();
    await receivers.close();
    await lab.close();
    await upstream.close();
  };
}
