/** Answers of the admin API that come as event streams. */
import { fetchRelay } from "./relay.ts";

let token: Promise<string> | null = null;

async function login(): Promise<string> {
  const response = await fetchRelay("/admin/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "admin", password: "password-of-the-integration-tests" }),
  });
  return (await response.json<{ token: string }>()).token;
}

export async function adminStream(path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  token ??= login();
  return fetchRelay(`/admin${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${await token}`,
      "content-type": "application/json",
      accept: "text/event-stream",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
}

export const eventsIn = (
  text: string,
): { readonly event: string; readonly data: Record<string, unknown> }[] =>
  text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      const [, event = "", data = "null"] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      return { event, data: JSON.parse(data) as Record<string, unknown> };
    });
