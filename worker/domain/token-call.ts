/** A call of a token endpoint, as providers make it. Pure. */

/** @throws when the endpoint cannot be reached, does not answer in time, or is not an allowed target */
export type TokenCall = (
  url: string,
  request: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
) => Promise<{ readonly status: number; readonly text: string }>;
