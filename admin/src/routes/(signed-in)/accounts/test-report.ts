/** The result of a connection test in one sentence. Pure. */
import type { TestReport } from "$lib/api";
import { formatDuration } from "$lib/format";
import type { FormReport } from "$lib/form-report";

export function testSentence(name: string, report: TestReport): string {
  const status = report.status === null ? "no answer" : `status ${report.status}`;
  const verdict = report.ok ? "answers" : "does not work";
  return `${name} ${verdict}: ${report.message} (${status}, ${formatDuration(report.latencyMs)})`;
}

export const testTone = (report: TestReport): FormReport["tone"] => (report.ok ? "good" : "bad");
