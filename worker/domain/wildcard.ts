/** Patterns that people enter: `*` stands for any text, case does not matter. Pure. */

export const fitsAny = (patterns: readonly string[], text: string): boolean => {
  const name = text.toLowerCase();
  return patterns.some((pattern) => fits(pattern.toLowerCase(), name));
};

/** In one pass without backtracking: the text may come from a client and the pattern may be long. */
function fits(pattern: string, name: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return name === pattern;
  if (!name.startsWith(head)) return false;
  let at = head.length;
  const tail = rest.pop() ?? "";
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - at >= tail.length && name.endsWith(tail);
}
