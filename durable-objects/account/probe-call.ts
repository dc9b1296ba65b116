/** The call behind a probe: the provider's cheapest question, to which any answer but a failure will do. */
import type { AccountConfig } from "../../worker/domain/account.ts";
import { assertAllowedTarget } from "../../worker/net/guard.ts";
import type { Provider } from "../../worker/providers/provider.ts";
import type { Probed } from "./probes.ts";

const PROBE_TIMEOUT_MS = 4000;
const SERVER_ERROR = 500;

export async function callProbe(
  provider: Provider,
  credential: unknown,
  { baseUrl }: AccountConfig,
  allowPrivate: boolean,
): Promise<Probed> {
  const { url, headers } = provider.probe(credential, baseUrl);
  try {
    assertAllowedTarget(url, allowPrivate);
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const response = await fetch(url, { headers, redirect: "manual", signal });
    await response.body?.cancel();
    if (response.status < SERVER_ERROR) return { kind: "well" };
    return { kind: "failing", message: `A probe was answered HTTP ${String(response.status)}.` };
  } catch {
    // The error's text may name addresses; that it failed is all there is to know.
    return { kind: "failing", message: "A probe had no answer." };
  }
}
