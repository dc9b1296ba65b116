/** What the objects of the simulation stand on. */
import type { Machines } from "./machines.ts";
import type { Timeline } from "./timeline.ts";

export interface Restartable {
  readonly isUp: boolean;
  restart(downMs: number): void;
}

export interface RoomSurroundings {
  readonly timeline: Timeline;
  readonly machines: Machines;
  /** Called when an object has said yes. */
  readonly onGrant: (room: Restartable) => void;
  /** Timers fire some milliseconds late. */
  readonly timerLatenessMs: () => number;
  /** Alarms fire up to seconds late. */
  readonly alarmLatenessMs: () => number;
}
