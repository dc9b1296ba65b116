/** Asks the admin's server how a request was routed. In the browser only. */
import type { Story } from "$lib/routing";

export async function fetchStory(requestId: string): Promise<Story> {
  const response = await fetch(`/requests/${encodeURIComponent(requestId)}`);
  // A session that has ended leads to the sign-in page, which is no story.
  if (!response.ok || response.redirected) return { kind: "unread" };
  return (await response.json()) as Story;
}
