/** What a person entered as an account's credential: parsed, and a refresh token alone exchanged at once. */
import type { Provider, TokenCallContext } from "../../worker/providers/provider.ts";

export type Entered =
  | { readonly kind: "read"; readonly credential: unknown }
  | { readonly kind: "invalid"; readonly message: string };

const refused = (message: string): Entered => ({ kind: "invalid", message: `credential.${message}` });

export async function readEntered(
  provider: Provider,
  entered: unknown,
  context: TokenCallContext,
): Promise<Entered> {
  const parsed = provider.credentialSchema.safeParse(entered);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) =>
      path.length === 0 ? message : `${path.join(".")}: ${message}`,
    );
    return { kind: "invalid", message: `credential: ${issues.join("; ")}` };
  }
  const credential = parsed.data;
  const isWhole = provider.tokensIn?.(credential)?.access !== false;
  if (isWhole || provider.refresh === undefined) return { kind: "read", credential };
  const result = await provider.refresh(credential, context);
  switch (result.kind) {
    case "refreshed":
      return { kind: "read", credential: result.credential };
    case "rejected":
      return refused(
        `refreshToken: ${withoutStop(result.message)}. Nothing was kept: sign in again and enter the newest one, for each works once.`,
      );
    case "failed":
      return refused(
        `refreshToken: ${withoutStop(result.message)}. Nothing was kept: check tokenUrl and the proxy, or wait a minute if it was asked too often.`,
      );
  }
}

const withoutStop = (sentence: string): string => sentence.replace(/\.$/, "");
