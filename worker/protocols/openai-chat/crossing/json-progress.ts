/** Follows a JSON object as it is written, to tell when it is whole, without holding or parsing it. Pure. */

export interface JsonProgress {
  readonly depth: number;
  readonly inString: boolean;
  readonly escaped: boolean;
  readonly begun: boolean;
}

export const JSON_START: JsonProgress = { depth: 0, inString: false, escaped: false, begun: false };

export const isWhole = ({ begun, depth }: JsonProgress): boolean => begun && depth === 0;

export function advance(progress: JsonProgress, text: string): JsonProgress {
  let { depth, inString, escaped, begun } = progress;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (escaped) escaped = false;
    else if (inString) {
      if (character === "\\") escaped = true;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") [depth, begun] = [depth + 1, true];
    else if (character === "}" || character === "]") depth = Math.max(0, depth - 1);
  }
  return { depth, inString, escaped, begun };
}
