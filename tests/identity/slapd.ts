/** A real directory for tests: OpenLDAP's slapd in a folder of its own, with the test run's certificate. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { filesOf } from "../proxies/certificates.ts";
import { certificateFolder } from "../proxies/trust.ts";
import { BASE, GROUPS, PEOPLE, SERVICE } from "./orders.ts";

const PROGRAM = "/usr/sbin/slapd";
const CLIENT = "/usr/bin/ldapmodify";
/** Whether this machine has a directory to start. */
export const HAS_SLAPD = [PROGRAM, CLIENT].every((path) => existsSync(path));

const MISSING = "These tests need a real directory: apt-get install slapd ldap-utils";
const ROOT = { dn: `cn=root,${BASE}`, password: "root-password-of-the-directory" };
const START_MS_MAX = 20_000;

export interface Slapd {
  readonly ldapPort: number;
  readonly ldapsPort: number;
  /** @param ldif changes, as ldapmodify takes them */
  modify(ldif: string): Promise<void>;
  stop(): Promise<void>;
}

/** `bind_anon_cred` accepts empty passwords, as careless directories do: the relay must not send any. */
const configuration = (folder: string, { cert, key }: { cert: string; key: string }) => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile ${join(folder, "slapd.pid")}
allow bind_anon_cred
TLSCACertificateFile ${join(certificateFolder(), "ca.pem")}
TLSCertificateFile ${cert}
TLSCertificateKeyFile ${key}
database mdb
maxsize 10485760
suffix "${BASE}"
rootdn "${ROOT.dn}"
rootpw ${ROOT.password}
directory ${join(folder, "data")}
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${SERVICE.dn}" read by anonymous auth by * none
`;

const FIRST_ENTRIES = `
dn: ${BASE}
changetype: add
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ${PEOPLE}
changetype: add
objectClass: organizationalUnit
ou: people

dn: ${GROUPS}
changetype: add
objectClass: organizationalUnit
ou: groups

dn: ${SERVICE.dn}
changetype: add
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: relay
userPassword:: ${Buffer.from(SERVICE.password).toString("base64")}
`;

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      resolve(true);
      socket.destroy();
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
}

async function untilListening(child: ChildProcess, port: number, output: () => string): Promise<void> {
  const deadline = performance.now() + START_MS_MAX;
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`slapd ended: ${output()}`);
    if (performance.now() > deadline) throw new Error(`slapd does not listen: ${output()}`);
    await sleep(50);
  }
}

async function ldapmodify(port: number, ldif: string): Promise<void> {
  const child = spawn(
    CLIENT,
    ["-x", "-H", `ldap://127.0.0.1:${String(port)}`, "-D", ROOT.dn, "-w", ROOT.password],
    { stdio: ["pipe", "ignore", "pipe"] },
  );
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  child.stdin.end(ldif);
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`ldapmodify: ${complaint}\n${ldif}`);
}

function assertInstalled(): void {
  try {
    for (const program of [PROGRAM, CLIENT]) accessSync(program, constants.X_OK);
  } catch (cause) {
    throw new Error(MISSING, { cause });
  }
}

export async function startSlapd(): Promise<Slapd> {
  assertInstalled();
  const folder = mkdtempSync(join(tmpdir(), "edge-relay-slapd-"));
  mkdirSync(join(folder, "data"));
  const file = join(folder, "slapd.conf");
  writeFileSync(file, configuration(folder, filesOf(certificateFolder(), "right")), { mode: 0o600 });
  const [ldapPort = 0, ldapsPort = 0] = await freePorts(2);
  const places = `ldap://127.0.0.1:${String(ldapPort)} ldaps://127.0.0.1:${String(ldapsPort)}`;
  // With -d it stays in the foreground.
  const child = spawn(PROGRAM, ["-f", file, "-h", places, "-d", "0"], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)));
  }
  await untilListening(child, ldapPort, () => output);
  await ldapmodify(ldapPort, FIRST_ENTRIES);
  return {
    ldapPort,
    ldapsPort,
    modify: (ldif) => ldapmodify(ldapPort, ldif),
    stop: async () => {
      const exited = once(child, "exit");
      if (child.exitCode === null) {
        child.kill("SIGKILL");
        await exited;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
