/** What a Gemini client offers to the model, in the neutral form. Pure. */
import { RelayError } from "../../../domain/errors.ts";
import type { NeutralRequest, Tool, ToolChoice } from "../../neutral.ts";
import { notCarried } from "../../translate.ts";
import type { Declaration, RequestTool } from "./request-schema.ts";
import { readSchema } from "./schema-in.ts";

interface CallingConfig {
  readonly mode?: string | undefined;
  readonly allowedFunctionNames?: readonly string[] | undefined;
}

const NO_PARAMETERS = { type: "object", properties: {} };

export function decodeTools(
  offered: readonly RequestTool[],
  config: CallingConfig = {},
): Pick<NeutralRequest, "tools" | "toolChoice" | "omitted"> {
  const tools = offered.flatMap(({ functionDeclarations = [] }) => functionDeclarations.map(decodeTool));
  const hosted = hostedTools(offered);
  // Who offers nothing else wants a search, and would take words from memory for one.
  if (tools.length === 0 && hosted[0] !== undefined) throw notCarried(`tools.${hosted[0]}`);
  return { ...chosen(tools, config), omitted: hosted.map((name) => `tools.${name}`) };
}

const decodeTool = ({ name, description, parameters, parametersJsonSchema }: Declaration): Tool => ({
  name,
  description: description ?? null,
  parameters: parametersJsonSchema ?? (parameters === undefined ? NO_PARAMETERS : readSchema(parameters)),
  strict: null,
  cache: null,
});

/** Google's own: `googleSearch`, `codeExecution`, `urlContext`. */
const hostedTools = (offered: readonly RequestTool[]): readonly string[] => [
  ...new Set(offered.flatMap(Object.keys).filter((name) => name !== "functionDeclarations")),
];

type Chosen = Pick<NeutralRequest, "tools" | "toolChoice">;

/** Some of the functions allowed is only these offered. */
function chosen(tools: readonly Tool[], { mode = "", allowedFunctionNames = [] }: CallingConfig): Chosen {
  if (tools.length === 0) return { tools, toolChoice: null };
  const kind = choiceOf(mode);
  const allowed = tools.filter(({ name }) => allowedFunctionNames.includes(name));
  if (allowedFunctionNames.length > 0 && allowed.length === 0) {
    throw new RelayError(
      "invalid_request",
      "toolConfig.functionCallingConfig.allowedFunctionNames: names no function that is declared",
    );
  }
  const [only] = allowed;
  if (only !== undefined && allowed.length === 1 && kind === "required") {
    return { tools, toolChoice: { kind: "named", name: only.name } };
  }
  return { tools: allowed.length === 0 ? tools : allowed, toolChoice: kind === null ? null : { kind } };
}

/** `VALIDATED` calls or speaks as it likes, like `AUTO`. */
function choiceOf(mode: string): Exclude<ToolChoice["kind"], "named"> | null {
  switch (mode.toUpperCase()) {
    case "AUTO":
    case "VALIDATED":
      return "auto";
    case "ANY":
      return "required";
    case "NONE":
      return "none";
    case "":
    case "MODE_UNSPECIFIED":
      return null;
    default:
      throw new RelayError(
        "invalid_request",
        "toolConfig.functionCallingConfig.mode: must be AUTO, ANY, NONE or VALIDATED",
      );
  }
}
