/** AWS Signature Version 4 with Node's own crypto, after AWS's description: what the product's library is measured by. Pure. */
import { createHash, createHmac } from "node:crypto";

export type SignedRequest = {
  readonly method: string;
  /** As it came, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

export type Authorization = {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
};

const HEADER =
  /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([a-z\d-]+)\/([a-z\d-]+)\/aws4_request, ?SignedHeaders=([a-z\d;-]+), ?Signature=([\da-f]{64})$/;

export function parseAuthorization(header: string | undefined): Authorization | null {
  const found = HEADER.exec(header ?? "");
  if (found === null) return null;
  const [, accessKeyId = "", date = "", region = "", service = "", names = "", signature = ""] = found;
  return { accessKeyId, date, region, service, signedHeaders: names.split(";"), signature };
}

export function signatureOf(
  request: SignedRequest,
  { date, region, service, signedHeaders }: Omit<Authorization, "signature" | "accessKeyId">,
  secret: string,
): string {
  const scope = `${date}/${region}/${service}/aws4_request`;
  const hash = createHash("sha256").update(canonical(request, signedHeaders)).digest("hex");
  const text = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"] ?? "", scope, hash].join("\n");
  const key = [date, region, service, "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return createHmac("sha256", key).update(text).digest("hex");
}

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

function canonical({ method, path, headers, body }: SignedRequest, signedHeaders: readonly string[]): string {
  const [pathname = "", query = ""] = path.split("?");
  const lines = signedHeaders.map(
    (name) => `${name}:${(headers[name] ?? "").trim().replaceAll(/\s+/g, " ")}\n`,
  );
  return [
    method,
    // Encoded once more than on the wire, as for every service but S3.
    pathname.split("/").map(encoded).join("/"),
    query.split("&").toSorted().join("&"),
    lines.join(""),
    signedHeaders.join(";"),
    createHash("sha256").update(body).digest("hex"),
  ].join("\n");
}

const encoded = (text: string) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
