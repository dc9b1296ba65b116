/**
 * Starts what integration tests talk to, in Node, once for all of them, and tells them the URLs: the fake upstream, the
 * proxy lab, the receivers of notifications, where people sign in, and the lists of prices.
 */
import type { TestProject } from "vitest/node";
import { startIdentityLab } from "../../identity/lab.ts";
import { HAS_SLAPD } from "../../identity/slapd.ts";
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
  const identity = await startIdentityLab();
  project.provide("identityLabUrl", identity.url);
  project.provide("hasDirectory", String(HAS_SLAPD));
  const prices = await startPrices();
  project.provide("pricesUrl", prices.url);
  return async () => {
    await prices.close();
    await identity.close();
    await receivers.close();
    await lab.close();
    await upstream.close();
  };
}
