import { describe, expect, it } from "vitest";
import { credentialSchema, isKeys, type DroidTokens } from "./credential.ts";
import { pollDevice, refreshTokens, startDevice } from "./workos.ts";

const NOW = 1_900_000_000_000;

function credentialOf(fields: Record<string, unknown> = {}): DroidTokens {
  const credential = credentialSchema.parse({ accessToken: "old", refreshToken: "r-1", ...fields });
  if (isKeys(credential)) throw new Error("not tokens");
  return credential;
}

/** A token endpoint that answers so, and what it was asked. */
function endpoint(status: number, body: unknown) {
  const asked: { readonly url: string; readonly form: Record<string, string> }[] = [];
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const context = {
    now: NOW,
    tokenUrl: null,
    call: (url: string, request: { readonly body: string }) => {
      asked.push({ url, form: Object.fromEntries(new URLSearchParams(request.body)) });
      return Promise.resolve({ status, text });
    },
  };
  return { asked, context };
}
const unreachable = { now: NOW, tokenUrl: null, call: () => Promise.reject(new Error("no route")) };

const DEVICE = {
  device_code: "device-1",
  user_code: "ABCD-EFGH",
  verification_uri: "https://signin.test/device",
  verification_uri_complete: "https://signin.test/device?code=ABCD-EFGH",
  expires_in: 300,
};

describe("startDevice", () => {
  it("asks beside the token endpoint, and says what the person must do", async () => {
    const { asked, context } = endpoint(200, DEVICE);
    expect(await startDevice(context)).toEqual({
      kind: "started",
      deviceCode: "device-1",
      userCode: "ABCD-EFGH",
      url: "https://signin.test/device?code=ABCD-EFGH",
      expiresAt: NOW + 300_000,
      intervalMs: 5000,
    });
    expect(asked[0]?.url).toBe("https://api.workos.com/user_management/authorize/device");
    expect(Object.keys(asked[0]?.form ?? {})).toEqual(["client_id"]);
  });

  it.each([
    ["is refused", endpoint(400, { error: "invalid_client" }).context],
    ["answers nonsense", endpoint(200, "<html>").context],
    ["names a page that is none", endpoint(200, { ...DEVICE, verification_uri: "javascript:1" }).context],
    ["cannot be reached", unreachable],
  ])("fails in words where the endpoint %s", async (_, context) => {
    expect((await startDevice(context)).kind).toBe("failed");
  });
});

describe("pollDevice", () => {
  it.each([
    ["authorization_pending", { kind: "pending", slowDown: false }],
    ["slow_down", { kind: "pending", slowDown: true }],
    ["access_denied", { kind: "rejected" }],
    ["expired_token", { kind: "rejected" }],
    ["server_error", { kind: "failed" }],
  ])("understands %s", async (error, result) => {
    const { asked, context } = endpoint(400, { error });
    expect(await pollDevice("device-1", context)).toMatchObject(result);
    expect(asked[0]?.form).toMatchObject({
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      device_code: "device-1",
    });
  });

  it("ends in a credential with the organization that was chosen", async () => {
    const { context } = endpoint(200, {
      access_token: "a-2",
      refresh_token: "r-2",
      organization_id: "org_1",
      expires_in: 60,
    });
    expect(await pollDevice("device-1", context)).toEqual({
      kind: "refreshed",
      credential: {
        accessToken: "a-2",
        refreshToken: "r-2",
        expiresAt: NOW + 60_000,
        organizationId: "org_1",
      },
    });
  });
});

describe("refreshTokens", () => {
  it("rotates the token, in the organization of the sign-in", async () => {
    const { asked, context } = endpoint(200, { access_token: "a-2", refresh_token: "r-2" });
    const result = await refreshTokens(credentialOf({ organizationId: "org_1" }), context);
    expect(result).toMatchObject({
      kind: "refreshed",
      credential: { accessToken: "a-2", refreshToken: "r-2", organizationId: "org_1", expiresAt: null },
    });
    expect(asked[0]?.url).toBe("https://api.workos.com/user_management/authenticate");
    expect(asked[0]?.form).toMatchObject({
      grant_type: "refresh_token",
      refresh_token: "r-1",
      organization_id: "org_1",
    });
  });

  it("names no organization where none is known, and keeps a refresh token that lives on", async () => {
    const { asked, context } = endpoint(200, { access_token: "a-2" });
    expect(await refreshTokens(credentialOf(), context)).toMatchObject({
      credential: { refreshToken: "r-1", organizationId: null },
    });
    expect(asked[0]?.form).not.toHaveProperty("organization_id");
  });

  it("reads the end of a token's life out of the token where the answer does not say it", async () => {
    const jwt = `e30.${btoa(JSON.stringify({ exp: NOW / 1000 + 600 }))}.sig`;
    const { context } = endpoint(200, { access_token: jwt });
    expect(await refreshTokens(credentialOf(), context)).toMatchObject({
      credential: { expiresAt: NOW + 600_000 },
    });
  });

  it("asks for a person only where the token itself is refused, or there is none", async () => {
    const kindOf = async (context: Parameters<typeof refreshTokens>[1], fields = {}) =>
      (await refreshTokens(credentialOf(fields), context)).kind;
    expect(await kindOf(endpoint(400, { error: "invalid_grant" }).context)).toBe("rejected");
    expect(await kindOf(endpoint(200, {}).context, { refreshToken: "" })).toBe("rejected");
    expect(await kindOf(endpoint(500, "oops").context)).toBe("failed");
    expect(await kindOf(endpoint(200, "<html>").context)).toBe("failed");
    expect(await kindOf(unreachable)).toBe("failed");
  });
});
