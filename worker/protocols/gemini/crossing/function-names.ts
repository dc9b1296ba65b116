/** Names of functions within what Gemini allows. Pure. */
import type { NeutralRequest } from "../../neutral.ts";
import { toolNames, type ToolNames } from "../../tool-names.ts";

/** `a-z, A-Z, 0-9, _, :, ., -`, and at most 64 of them (ai.google.dev/api/caching#FunctionDeclaration). */
const ALLOWED = /^[a-zA-Z0-9_:.-]$/;

/** The first must be a letter or an underscore. */
const withLetter = (name: string): string => (/^[a-zA-Z_]/.test(name) ? name : `_${name}`);

export function functionNames(request: NeutralRequest): ToolNames {
  const names = new Set([
    ...request.tools.map(({ name }) => name),
    ...request.turns.flatMap(({ parts }) =>
      parts.flatMap((part) => (part.kind === "tool_call" ? [part.name] : [])),
    ),
  ]);
  const fitting = toolNames([...names].map(withLetter), ALLOWED);
  const toUpstream = (name: string) => fitting.toUpstream(withLetter(name));
  const full = new Map([...names].map((name) => [toUpstream(name), name]));
  return { toUpstream, toClient: (name) => full.get(name) ?? name };
}
