/** Sign-ins at another device (RFC 8628): what was started, and what its person answered. */
import { randomBytes } from "node:crypto";

type Device = { readonly userCode: string; answer: "pending" | "approved" | "denied" };

export type DevicePolled =
  | { readonly kind: "approved"; readonly userCode: string }
  | { readonly kind: "error"; readonly error: string };

export function createDevices() {
  const devices = new Map<string, Device>();

  return {
    start(): { readonly deviceCode: string; readonly userCode: string } {
      const deviceCode = randomBytes(24).toString("base64url");
      const userCode = randomBytes(4).toString("hex").toUpperCase();
      devices.set(deviceCode, { userCode, answer: "pending" });
      return { deviceCode, userCode };
    },

    /** false: nobody waits for this code. */
    answer(userCode: string, isDenied: boolean): boolean {
      const device = [...devices.values()].find((each) => each.userCode === userCode);
      if (device !== undefined) device.answer = isDenied ? "denied" : "approved";
      return device !== undefined;
    },

    /** An approved code is spent by this. */
    poll(deviceCode: string): DevicePolled {
      const device = devices.get(deviceCode);
      if (device === undefined) return { kind: "error", error: "expired_token" };
      if (device.answer === "pending") return { kind: "error", error: "authorization_pending" };
      devices.delete(deviceCode);
      if (device.answer === "denied") return { kind: "error", error: "access_denied" };
      return { kind: "approved", userCode: device.userCode };
    },
  };
}
