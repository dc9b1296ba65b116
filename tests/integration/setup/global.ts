/** Starts the fake upstream, the proxy lab, the receivers of notifications and where people sign in, in Node, once for all integration tests, and tells them their URLs. */
import type { TestProject } from "vitest/node";
import { startIdentityLab } from "../../identity/lab.ts";
import { startLab } from "../../proxies/lab.ts";
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
  return async () => {
    await identity.close();
    await receivers.close();
    await lab.close();
    await upstream.close();
  };
}
