/** The story of a request, as an admin reads it. */
import type { Routing } from "../../../worker/domain/routing.ts";
import type { RequestView } from "../../../worker/domain/usage.ts";
import { admin, eventually, keyStub } from "./relay.ts";

/** A request's record, once it is in the ledger. */
export async function requestView(
  key: { readonly id: string },
  response: { readonly headers: Headers },
): Promise<RequestView> {
  const object = keyStub(key);
  const id = response.headers.get("x-relay-request-id") ?? "";
  const found = await eventually(
    async () => {
      await (object as unknown as { ship(): Promise<void> }).ship();
      return admin("GET", `/requests/${id}`);
    },
    ({ status }) => status === 200,
  );
  return found.json<RequestView>();
}

export async function storyOf(
  key: { readonly id: string },
  response: { readonly headers: Headers },
): Promise<Routing> {
  const { routing } = await requestView(key, response);
  if (routing === null) throw new Error("the request has no story");
  return routing;
}
