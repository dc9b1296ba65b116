/** Pages of a list, as the address says them. Pure. */
import type { PageQuery } from "./api";

export const PAGE_SIZE = 50;
/** Choices in a form come from one page of the API; more than this nobody picks from a list. */
export const CHOICES_SIZE = 200;

export function pageQuery(search: URLSearchParams, limit: number = PAGE_SIZE): PageQuery {
  const page = Number(search.get("page"));
  return { page: Number.isInteger(page) && page >= 1 ? page : 1, limit };
}

/** The same address with some parameters changed; null removes one. */
export function withParams(url: URL, changes: Readonly<Record<string, string | null>>): string {
  const search = new URLSearchParams(url.searchParams);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) search.delete(name);
    else search.set(name, value);
  }
  const text = search.toString();
  return text === "" ? url.pathname : `${url.pathname}?${text}`;
}
