/** The paths of Gemini calls: the model is in them, or in the body of a Code Assist call. Pure. */

export const METHODS = ["generateContent", "streamGenerateContent", "countTokens"] as const;
/** Calls of Code Assist about the account itself, which name no model. */
export const ACCOUNT_METHODS = [
  "loadCodeAssist",
  "onboardUser",
  "retrieveUserQuota",
  "listExperiments",
] as const;

/** The Gemini API, and Vertex AI as it is reached with an API key alone. */
export const MODEL_PARENTS = ["/v1beta/models", "/v1/models", "/v1beta1/publishers/google/models"] as const;

const MODEL_PATH = /^(.*\/models\/)([^/:]+):([A-Za-z]+)$/;
const CODE_ASSIST_PATH = /^\/v1internal:([A-Za-z]+)$/;

export interface ModelPath {
  readonly parent: string;
  /** As it stands in the path, percent-encoded where need be. */
  readonly model: string;
  readonly method: string;
}

export function readModelPath(path: string): ModelPath | null {
  const [, parent, model, method] = MODEL_PATH.exec(path) ?? [];
  return parent === undefined || model === undefined || method === undefined
    ? null
    : { parent, model, method };
}

/** The method of a Code Assist call; null: it is none. */
export const codeAssistMethod = (path: string): string | null => CODE_ASSIST_PATH.exec(path)?.[1] ?? null;

export function pathWithModel(path: string, model: string): string {
  const parts = readModelPath(path);
  return parts === null ? path : `${parts.parent}${encodeURIComponent(model)}:${parts.method}`;
}
