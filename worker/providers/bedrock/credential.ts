/** What signs an account in at Amazon Bedrock: an access key of AWS, or a Bedrock API key. Pure. */
import { z } from "zod";
import { SECRET_FIELD } from "../../domain/form.ts";

/** It becomes part of a host name, so nothing but a region's name will do: `us-east-1`, `us-gov-west-1`. */
const REGION = /^[a-z]{2}(?:-[a-z]{2,12}){1,3}-\d{1,2}$/;
/** Secrets travel in headers: printable ASCII without spaces. Session tokens reach some kilobytes. */
const SECRET = /^[\x21-\x7e]{1,8192}$/;

const secret = z.string().trim().regex(SECRET, "must be printable ASCII without spaces");

const fields = z.strictObject({
  region: z
    .string()
    .trim()
    .max(32)
    .regex(REGION, "must be an AWS region such as us-east-1")
    .meta({ title: "Region", description: "an AWS region such as us-east-1", examples: ["us-east-1"] }),
  bearerToken: secret.optional().meta({
    title: "Bedrock API key",
    description: "either this, or an access key with its secret",
    ...SECRET_FIELD,
  }),
  // IAM API reference, "AccessKey": 16 to 128 word characters.
  accessKeyId: z
    .string()
    .trim()
    .regex(/^\w{16,128}$/, "must be an AWS access key id")
    .optional()
    .meta({ title: "Access key id" }),
  secretAccessKey: secret.optional().meta({ title: "Secret access key", ...SECRET_FIELD }),
  sessionToken: secret.optional().meta({
    title: "Session token",
    description: "only with a temporary access key; it expires, and then a new one must be entered",
    ...SECRET_FIELD,
  }),
});

export type BedrockCredential = z.infer<typeof fields>;

export type SignIn =
  | { readonly kind: "bearer"; readonly token: string }
  | {
      readonly kind: "accessKey";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken: string | null;
    };

/** null: neither way is whole, or parts of both are given. */
export function signInOf(credential: BedrockCredential): SignIn | null {
  const { bearerToken, accessKeyId, secretAccessKey, sessionToken } = credential;
  if (bearerToken !== undefined) {
    const more = [accessKeyId, secretAccessKey, sessionToken].some((field) => field !== undefined);
    return more ? null : { kind: "bearer", token: bearerToken };
  }
  if (accessKeyId === undefined || secretAccessKey === undefined) return null;
  return { kind: "accessKey", accessKeyId, secretAccessKey, sessionToken: sessionToken ?? null };
}

// One flat object and no union, so that the admin's form shows all fields at once.
export const credentialSchema = fields.refine((credential) => signInOf(credential) !== null, {
  message: "needs either bearerToken, or accessKeyId with secretAccessKey, and not both",
});
