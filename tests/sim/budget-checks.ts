/**
 * What is promised of a key's budgets, checked against books that the simulation keeps itself.
 *
 * When a request is admitted, what was spent and what is reserved fit together into every limit. With hard budgets
 * what was spent passes a limit by no more than one event's cost for each stream that may run, besides what was
 * spent by requests whose permit a restart forgot or that were swept in silence, and so had nothing reserved.
 */
import { limitsOf } from "../../durable-objects/key/limits.ts";
import { NOTHING, add, type Spending } from "../../durable-objects/key/spending.ts";
import type { KeyState } from "../../durable-objects/key/state.ts";
import type { EpochMs, KeyId, RequestId } from "../../worker/domain/ids.ts";
import type { LimitId } from "../../worker/domain/key-limits.ts";
import type { KeyConfig } from "../../worker/domain/key.ts";
import { NANO_PER_DOLLAR } from "../../worker/domain/money.ts";
import type { Settlement } from "../../worker/domain/permit.ts";
import type { KeyRoom } from "./key-room.ts";
import { EVENT_COST_MAX, isPremium } from "./prices.ts";
import type { Timeline } from "./timeline.ts";
import type { Violation } from "./violation.ts";

const DAY_MS = 86_400_000;
/** The epoch began on a Thursday; weeks begin on Mondays here, days at midnight UTC. */
const FIRST_MONDAY_MS = 4 * DAY_MS;
const WEEK_MS = 7 * DAY_MS;

interface Books {
  readonly day: number;
  readonly week: number;
  readonly spentInDay: Spending;
  readonly spentInWeek: Spending;
  readonly spent: Spending;
  readonly records: number;
  readonly listPrice: number;
  /** By requests that had nothing reserved. */
  readonly unreserved: number;
}

const dayOf = (now: EpochMs) => Math.floor(now / DAY_MS);
const weekOf = (now: EpochMs) => Math.floor((now - FIRST_MONDAY_MS) / WEEK_MS);

const emptyBooks = (now: EpochMs): Books => ({
  day: dayOf(now),
  week: weekOf(now),
  spentInDay: NOTHING,
  spentInWeek: NOTHING,
  spent: NOTHING,
  records: 0,
  listPrice: 0,
  unreserved: 0,
});

export class BudgetChecks {
  readonly #timeline: Timeline;
  readonly #violation: (invariant: string, detail: string) => Violation;
  readonly #books = new Map<KeyId, Books>();
  readonly #written = new Map<KeyId, Books>();

  constructor(timeline: Timeline, violation: (invariant: string, detail: string) => Violation) {
    this.#timeline = timeline;
    this.#violation = violation;
  }

  static hasLimits(config: KeyConfig): boolean {
    const { totalCost, dailyCost, weeklyCost, weeklyPremiumCost, windowMinutes } = config;
    return totalCost + dailyCost + weeklyCost + weeklyPremiumCost + windowMinutes > 0;
  }

  /** The books as of now: a day or a week that is over begins anew. */
  #current(room: KeyRoom): Books {
    const now = this.#timeline.now();
    const books = this.#books.get(room.id) ?? emptyBooks(now);
    const [day, week] = [dayOf(now), weekOf(now)];
    return {
      ...books,
      day,
      week,
      spentInDay: day === books.day ? books.spentInDay : NOTHING,
      spentInWeek: week === books.week ? books.spentInWeek : NOTHING,
    };
  }

  spent(room: KeyRoom, settlement: Settlement, hadPermit: boolean): void {
    const { config } = room.state;
    const cost = Math.round(settlement.cost * (config.rates[settlement.service] ?? 1));
    const premiumCost = isPremium(settlement.model) ? cost : 0;
    const spent: Spending = { requests: 0, tokens: settlement.tokens, cost, premiumCost };
    const books = this.#current(room);
    this.#books.set(room.id, {
      ...books,
      spentInDay: add(books.spentInDay, spent),
      spentInWeek: add(books.spentInWeek, spent),
      spent: add(books.spent, spent),
      records: books.records + 1,
      listPrice: books.listPrice + settlement.cost,
      unreserved: books.unreserved + (hadPermit ? 0 : cost),
    });
  }

  written(room: KeyRoom): void {
    const books = this.#books.get(room.id);
    if (books !== undefined) this.#written.set(room.id, books);
  }

  /** An extension that was not written leaves its stream with an allowance that is not reserved any more. */
  restarted(room: KeyRoom, before: KeyState): void {
    const books = this.#written.get(room.id) ?? emptyBooks(this.#timeline.now());
    let forgotten = 0;
    for (const [requestId, { reserved }] of before.permits) {
      const held = room.state.permits.get(requestId);
      if (held !== undefined) forgotten += Math.max(0, reserved.cost - held.reserved.cost);
    }
    this.#books.set(room.id, { ...books, unreserved: books.unreserved + forgotten });
  }

  /** After every change: the key's own sums are those of the books. */
  changed(room: KeyRoom): void {
    const { totals, tallies, config } = room.state;
    const books = this.#books.get(room.id);
    if (books === undefined) return;
    this.#same(room, "records", totals.requests, books.records);
    this.#same(room, "cost at list price", totals.cost, books.listPrice);
    this.#same(room, "cost", tallies.total.cost, books.spent.cost);
    const current = this.#current(room);
    if (tallies.day !== null && tallies.day.end > this.#timeline.now()) {
      this.#same(room, "cost of the day", tallies.day.spent.cost, current.spentInDay.cost);
    }
    if (tallies.week !== null && tallies.week.end > this.#timeline.now()) {
      this.#same(room, "cost of the week", tallies.week.spent.cost, current.spentInWeek.cost);
      this.#same(room, "premium cost", tallies.week.spent.premiumCost, current.spentInWeek.premiumCost);
    }
    if (config.hardBudget) this.#notOverspent(room, current);
  }

  #same(room: KeyRoom, what: string, counted: number, booked: number): void {
    if (counted === booked) return;
    const detail = `${room.id} counts ${String(counted)} (${what}) where ${String(booked)} was booked`;
    throw this.#violation("what is spent is what is booked", detail);
  }

  #notOverspent(room: KeyRoom, books: Books): void {
    const { config } = room.state;
    const rate = config.rates.claude ?? 1;
    const tolerated = config.concurrency * Math.ceil(EVENT_COST_MAX * rate) + books.unreserved;
    const budgets = [
      ["day", books.spentInDay.cost, config.dailyCost],
      ["week", books.spentInWeek.cost, config.weeklyCost],
      ["week, premium", books.spentInWeek.premiumCost, config.weeklyPremiumCost],
      ["all", books.spent.cost, config.totalCost],
    ] as const;
    for (const [period, spent, dollars] of budgets) {
      const limit = Math.round(dollars * NANO_PER_DOLLAR);
      if (limit === 0 || spent <= limit + tolerated) continue;
      const detail = `${room.id} spent ${String(spent)} of ${String(limit)} (${period}), ${String(tolerated)} more is tolerated`;
      throw this.#violation("hard budgets", detail);
    }
  }

  /** A request has just been admitted: every limit that it counts against holds what is spent and reserved. */
  admitted(room: KeyRoom, requestId: RequestId): void {
    if (!BudgetChecks.hasLimits(room.state.config)) return;
    const model = room.state.permits.get(requestId)?.draft.model ?? "";
    this.#fits(room, "spent and reserved fit at an admission", isPremium(model));
  }

  extended(room: KeyRoom, before: KeyState): void {
    const { state } = room;
    if (state.reserved.cost <= before.reserved.cost) return;
    this.#fits(
      room,
      "spent and reserved fit at an extension",
      state.reserved.premiumCost > before.reserved.premiumCost,
    );
  }

  #fits(room: KeyRoom, invariant: string, withPremium: boolean): void {
    const { state } = room;
    const { spent, spentInDay, spentInWeek } = this.#current(room);
    const booked: Partial<Record<LimitId, number>> = {
      total_cost: spent.cost,
      daily_cost: spentInDay.cost,
      weekly_cost: spentInWeek.cost,
      weekly_premium_cost: spentInWeek.premiumCost,
    };
    for (const { id, limit, used, reserved } of limitsOf(state.tallies, state.reserved, state.config)) {
      const isOther = id === "weekly_premium_cost" && !withPremium;
      const known = booked[id] ?? used;
      if (isOther || known + reserved <= limit) continue;
      const detail = `${room.id}, ${id}: ${String(known)} + ${String(reserved)} of ${String(limit)}`;
      throw this.#violation(invariant, detail);
    }
  }
}
