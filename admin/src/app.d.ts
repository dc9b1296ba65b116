import type { AdminApiClient, RelayBinding } from "$lib/api";

declare global {
  namespace App {
    interface Error {
      message: string;
      /** What the reader can do about it. */
      hint: string | null;
    }
    interface Locals {
      /** The admin API, speaking with this visitor's session. */
      api: AdminApiClient;
      /** The visitor brings a session; whether it is still valid only the worker knows. */
      hasSession: boolean;
      /** IANA name of the zone in which times are shown and entered. */
      timeZone: string;
    }
    interface Platform {
      env: {
        /** The relay's worker. */
        RELAY: RelayBinding;
        /** Where clients reach the relay, shown in setup snippets. */
        RELAY_URL?: string;
      };
    }
  }
}

export {};
