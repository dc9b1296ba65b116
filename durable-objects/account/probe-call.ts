/** The call behind a probe: the provider's cheapest question, to which any answer but a failure will do. */
import type { Dial } from "../../worker/net/dial.ts";
import { assertAllowedTarget } from "../../worker/net/guard.ts";
import type { Provider } from "../../worker/providers/provider.ts";
import type { Probed } from "./probes.ts";

const PROBE_TIMEOUT_MS = 4000;
const SERVER_ERROR = 500;

interface ProbeWay {
  readonly baseUrl: string | null;
  readonly dial: Dial;
  readonly allowPrivate: boolean;
}

export async function callProbe(
  provider: Provider,
  credential: unknown,
  { baseUrl, dial, allowPrivate }: ProbeWay,
): Promise<Probed> {
  const { url, headers } = provider.probe(credential, baseUrl);
  try {
    assertAllowedTarget(url, allowPrivate);
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const response = await dial(url, { method: "GET", headers, redirect: "manual", signal });
    await response.body?.cancel();
    if (response.status < SERVER_ERROR) return { kind: "well" };
    return { kind: "failing", message: `A probe was answered HTTP ${String(response.status)}.` };
  } catch {
    // The error's text may name addresses; that it failed is all there is to know.
    return { kind: "failing", message: "A probe had no answer." };
  }
}
