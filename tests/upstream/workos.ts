/**
 * WorkOS as Factory signs in with it: `POST …/user_management/authorize/device` starts, `GET …/user_management/device`
 * is the page where the person consents (with `deny` in the query: does not), and `POST …/user_management/authenticate`
 * is polled, and refreshes. Tokens of a device belong to the family `device-<user code>`.
 */
import { sendBody, type Cuttable } from "./exchange.ts";
import type { OAuth } from "./oauth.ts";
import { grantToken, refuse, sendGrant } from "./oauth-routes.ts";

const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const JSON_HEADERS = { "content-type": "application/json", "cache-control": "no-store" };
const DEVICE_LIFETIME_S = 300;

export type WorkOsRequest = {
  readonly route: string;
  readonly query: URLSearchParams;
  /** Where this fake is reached. */
  readonly host: string;
  readonly body: string;
};

/** false: it is no call of WorkOS. */
export async function serveWorkOs(
  oauth: OAuth,
  request: WorkOsRequest,
  exchange: Cuttable,
): Promise<boolean> {
  const { route } = request;
  if (route.endsWith("/user_management/authorize/device")) startDevice(oauth, request, exchange);
  else if (route.endsWith("/user_management/authenticate")) await authenticate(oauth, request.body, exchange);
  else if (route.endsWith("/user_management/device")) answerDevice(oauth, request.query, exchange);
  else return false;
  return true;
}

function startDevice(oauth: OAuth, { body, host }: WorkOsRequest, { response }: Cuttable): void {
  if (!new URLSearchParams(body).has("client_id")) return refuse(response, "invalid_client", "client_id");
  const { deviceCode, userCode } = oauth.devices.start();
  const page = `http://${host}/user_management/device`;
  const answer = {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: page,
    verification_uri_complete: `${page}?user_code=${userCode}`,
    expires_in: DEVICE_LIFETIME_S,
    interval: 5,
  };
  sendBody(response, 200, JSON_HEADERS, JSON.stringify(answer));
}

function answerDevice(oauth: OAuth, query: URLSearchParams, { response }: Cuttable): void {
  const isKnown = oauth.devices.answer(query.get("user_code") ?? "", query.has("deny"));
  sendBody(response, isKnown ? 200 : 404, { "content-type": "text/plain" }, isKnown ? "done" : "unknown");
}

async function authenticate(oauth: OAuth, body: string, exchange: Cuttable): Promise<void> {
  const form = new URLSearchParams(body);
  if (!form.has("client_id")) return refuse(exchange.response, "invalid_client", "client_id is required");
  if (form.get("grant_type") !== DEVICE_GRANT) return await grantToken(oauth, body, exchange);
  const polled = oauth.devices.poll(form.get("device_code") ?? "");
  if (polled.kind === "error") return refuse(exchange.response, polled.error, "made to wait");
  sendGrant(exchange.response, oauth.grantTo(`device-${polled.userCode}`, Date.now()));
}
