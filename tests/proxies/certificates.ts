/** A certificate authority for one test run, and what it signs: nobody else trusts it, and it is gone afterwards. */
import { webcrypto } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
// What the next package is built on asks for it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const HOUR_MS = 3_600_000;

x509.cryptoProvider.set(webcrypto as Crypto);

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

const newKeys = (): Promise<CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;

const validity = () => ({
  notBefore: new Date(Date.now() - HOUR_MS),
  notAfter: new Date(Date.now() + 24 * HOUR_MS),
});

/** What the servers of a test run may call themselves. */
const NAMES = {
  /** The upstream and everything else that must be trusted. */
  right: ["localhost", "upstream.test", "127.0.0.1"],
  /** Signed by the same authority, for a name that nobody asks for. */
  wrong: ["other.test"],
} as const;
export type Name = keyof typeof NAMES;

/** Writes `ca.pem`, and a certificate and a key for each of the names, into a folder. @returns the path of `ca.pem` */
export async function writeCertificates(folder: string): Promise<string> {
  const keys = await newKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=edge-relay test run",
    ...validity(),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  for (const [name, hosts] of Object.entries(NAMES)) {
    const { cert, key } = await signed(hosts, ca.subject, keys.privateKey);
    writeFileSync(join(folder, `${name}.pem`), cert);
    writeFileSync(join(folder, `${name}.key`), key, { mode: 0o600 });
  }
  const file = join(folder, "ca.pem");
  writeFileSync(file, ca.toString("pem"));
  return file;
}

async function signed(hosts: readonly string[], issuer: string, signingKey: CryptoKey): Promise<KeyPair> {
  const keys = await newKeys();
  const names = hosts.map((value) => ({ type: /^[\d.]+$/.test(value) ? "ip" : "dns", value }) as const);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${hosts[0] ?? ""}`,
    issuer,
    ...validity(),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return {
    cert: certificate.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  };
}

export const filesOf = (folder: string, name: Name) => ({
  cert: join(folder, `${name}.pem`),
  key: join(folder, `${name}.key`),
});

export function readPair(folder: string, name: Name): KeyPair {
  const { cert, key } = filesOf(folder, name);
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}
