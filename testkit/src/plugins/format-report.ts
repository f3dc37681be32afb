/** The report of the conformance kit for people. */
import type { PluginTestReport, TestCase } from './conformance.ts';
import type { HookTimes } from './hook-times.ts';

const signs = { passed: 'ok  ', failed: 'FAIL', warned: 'note' } as const;

/** `12 us`, `3.4 ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(ms < 0.01 ? 1 : 0)} us`;
  return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
}

/** Rows of equal columns; numbers stand to the right. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((name, index) => Math.max(name.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => (/^\d/.test(cell) ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)];
}

function formatCase({ title, status, detail }: TestCase): readonly string[] {
  return [`  ${signs[status]}  ${title}`, ...(detail === undefined ? [] : [`        ${detail}`])];
}

function formatTimes(times: readonly HookTimes[]): readonly string[] {
  if (times.length === 0) return [];
  const rows = times.map(({ isolation, hook, calls, p50Ms, p99Ms }) => [
    hook,
    isolation,
    String(calls),
    formatDuration(p50Ms),
    formatDuration(p99Ms),
  ]);
  return ['', ...formatTable(['hook', 'isolation', 'calls', 'p50', 'p99'], rows)];
}

/** Lines for a terminal. */
export function formatReport(report: PluginTestReport): readonly string[] {
  const { plugin, cases, times, isPassed } = report;
  const isolations = [...new Set(cases.map(({ isolation }) => isolation))];
  const body = isolations.flatMap((isolation) => [
    `${plugin}, ${isolation}:`,
    ...cases.filter((each) => each.isolation === isolation).flatMap(formatCase),
  ]);
  const count = (status: TestCase['status']): number => cases.filter((each) => each.status === status).length;
  const notes = count('warned') === 0 ? '' : `, ${count('warned')} notes`;
  const end = isPassed
    ? `All ${count('passed')} passed${notes}.`
    : `${count('failed')} of ${cases.length} failed${notes}.`;
  return [...body, ...formatTimes(times), '', end];
}
