/** The product's own state machines, as the simulation runs them; a test may put a broken one in a place. */
import * as accountCooldowns from "../../durable-objects/account/cooldowns.ts";
import * as accountLeases from "../../durable-objects/account/leases.ts";
import * as accountState from "../../durable-objects/account/state.ts";
import { SessionPointers } from "../../durable-objects/account/sessions.ts";
import * as keyAdmission from "../../durable-objects/key/admission.ts";
import * as keyPermits from "../../durable-objects/key/permits.ts";
import * as keyState from "../../durable-objects/key/state.ts";
import { schedule } from "../../worker/relay/schedule.ts";

export const MACHINES = {
  account: { ...accountState, ...accountLeases, ...accountCooldowns },
  key: { ...keyState, ...keyPermits, ...keyAdmission },
  schedule,
  SessionPointers,
};

export type Machines = typeof MACHINES;
