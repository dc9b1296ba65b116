/** A call through a proxy by way of the egress forwarder; `egress/README.md` describes what the two say to each other. */
import { z } from "zod";
import type { Proxy } from "../domain/proxy.ts";
import type { Dial } from "./dial.ts";
import { maskPassword, PROXY_ERROR_CODES, ProxyError, toBinary } from "./proxy-error.ts";

export interface EgressForwarder {
  readonly url: string;
  readonly token: string;
}

/** On each answer that is the upstream's own. */
const ANSWER_HEADER = "x-egress-answer";
/** On the forwarder's own errors: what is wrong. */
const ERROR_HEADER = "x-egress-error";
const ERROR_LENGTH_MAX = 500;

const failureSchema = z.object({ code: z.enum(PROXY_ERROR_CODES), message: z.string() });
/** The upstream was reached and gave no answer: no fault of the proxy's. */
const UPSTREAM_FAILED = "upstream_failed";

export const forwarderDial =
  (proxy: Proxy, forwarder: EgressForwarder): Dial =>
  async (url, init) => {
    const headers = new Headers(init.headers);
    const passed = [...headers.keys()].join(",");
    headers.set("x-egress-authorization", `Bearer ${forwarder.token}`);
    headers.set("x-egress-target", url);
    headers.set("x-egress-proxy", encodeProxy(proxy));
    // Networks on the way add headers of their own: only these are for the upstream.
    headers.set("x-egress-pass", passed);
    const answer = await fetch(forwarder.url, { ...init, headers }).catch((cause: unknown) => {
      if (init.signal.aborted) throw cause;
      const message =
        "The egress forwarder could not be reached. Check EGRESS_URL, its certificate, and that it runs.";
      throw new ProxyError("egress_unreachable", message, { cause });
    });
    if (answer.headers.get(ANSWER_HEADER) === "upstream") return answer;
    throw await failureOf(answer, proxy);
  };

const encodeProxy = ({ type, host, port, username, password }: Proxy): string =>
  btoa(toBinary(JSON.stringify({ type, host, port, username, password })));

async function failureOf(answer: Response, proxy: Proxy): Promise<Error> {
  const text = maskPassword((await answer.text()).slice(0, ERROR_LENGTH_MAX), proxy);
  const code = answer.headers.get(ERROR_HEADER);
  const parsed = failureSchema.safeParse({ code, message: text });
  if (parsed.success) return new ProxyError(parsed.data.code, parsed.data.message);
  if (code === UPSTREAM_FAILED) return new Error(text);
  const status = String(answer.status);
  const message = `What answers at EGRESS_URL is not the egress forwarder (HTTP ${status}). Check the address.`;
  return new ProxyError("egress_unreachable", message);
}
