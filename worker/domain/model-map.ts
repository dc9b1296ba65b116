/** Which model an account's upstream is asked for. Pure. */
import { fitsAny } from "./wildcard.ts";

/** The exact name counts before patterns, and patterns count in the order in which they were entered. */
export function upstreamModel(map: Readonly<Record<string, string>>, model: string): string {
  const patterns = Object.keys(map);
  if (patterns.length === 0) return model;
  const exact = patterns.find((pattern) => pattern.toLowerCase() === model.toLowerCase());
  const found = exact ?? patterns.find((pattern) => fitsAny([pattern], model));
  return (found === undefined ? undefined : map[found]) ?? model;
}
