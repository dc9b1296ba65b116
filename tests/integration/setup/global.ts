/** Starts the fake upstream in Node, once for all integration tests, and tells them its URL. */
import type { TestProject } from "vitest/node";
import { startUpstream } from "../../upstream/server.ts";
import type {} from "./provided.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const upstream = await startUpstream();
  project.provide("upstreamUrl", upstream.url);
  return async () => {
    await upstream.close();
  };
}
