/** A model map as lines of `requested = upstream`. Pure. */

type ModelMap = Readonly<Record<string, string>>;

export interface MapReading {
  readonly map: ModelMap;
  /** What is wrong with the first line that is; null: nothing. */
  readonly problem: string | null;
}

export function readModelMap(lines: readonly string[]): MapReading {
  const map = new Map<string, string>();
  let problem: string | null = null;
  for (const line of lines) {
    const [requested = "", ...rest] = line.split("=");
    const [left, right] = [requested.trim(), rest.join("=").trim()];
    if (left === "" || right === "") problem ??= `“${line}” must be: requested = upstream`;
    else if (map.has(left)) problem ??= `“${left}” must not be there twice`;
    else map.set(left, right);
  }
  return { map: Object.fromEntries(map), problem };
}

export const modelMapText = (map: ModelMap): string =>
  Object.entries(map)
    .map(([requested, upstream]) => `${requested} = ${upstream}`)
    .join("\n");
