/** Numbers, money and durations as people read them. Pure. */
import type { NanoDollars } from "./domain";

const NANO_PER_DOLLAR = 1_000_000_000;
const grouped = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export const formatCount = (count: number): string => grouped.format(count);

/** Short form for charts and tiles: 1.2M. */
export const formatCompact = (count: number): string => compact.format(count);

/** Dollars with as many digits as the amount deserves: single requests cost fractions of a cent. */
export function formatMoney(nano: NanoDollars): string {
  const dollars = nano / NANO_PER_DOLLAR;
  if (dollars === 0) return "$0.00";
  if (dollars < 0.000_001) return "<$0.000001";
  if (dollars < 0.01) return `$${dollars.toFixed(6).replace(/(\.\d{2,}?)0+$/, "$1")}`;
  if (dollars < 1) return `$${dollars.toFixed(4).replace(/(\.\d{2,}?)0+$/, "$1")}`;
  return `$${new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(dollars)}`;
}

export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** "in 5 min" or "3 h ago", as seen at `now`. */
export function formatDistance(at: number, now: number): string {
  const distanceMs = Math.abs(at - now);
  if (distanceMs < 1000) return "now";
  const coarse = coarseDuration(distanceMs);
  return at > now ? `in ${coarse}` : `${coarse} ago`;
}

function coarseDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  if (hours < 48) return `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}
