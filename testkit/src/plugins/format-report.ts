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

/** Cases of one title and isolation are one case to a reader. */
function groupCases(cases: readonly TestCase[]): readonly (readonly TestCase[])[] {
  return [...Map.groupBy(cases, ({ isolation, title, status }) => `${isolation} ${title} ${status}`).values()];
}

/** A case with what is wrong in it; a sentence that stands above already is only counted. */
function formatCase(group: readonly TestCase[], told: Set<string>): readonly string[] {
  const [first] = group;
  if (first === undefined) return [];
  const details = group.flatMap(({ detail, times }) => {
    if (detail === undefined || told.has(detail)) return [];
    told.add(detail);
    return [`        ${detail}${times === undefined ? '' : ` (${times} times)`}`];
  });
  const again = group.filter(({ detail }) => detail !== undefined).length - details.length;
  const rest = again === 0 ? [] : [`        ${details.length === 0 ? '' : 'and '}${again} as told above`];
  return [`  ${signs[first.status]}  ${first.title}`, ...details, ...rest];
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
  const groups = groupCases(cases);
  const told = new Set<string>();
  const body = isolations.flatMap((isolation) => [
    `${plugin}, ${isolation}:`,
    ...groups.filter(([first]) => first?.isolation === isolation).flatMap((group) => formatCase(group, told)),
  ]);
  const count = (status: TestCase['status']): number => groups.filter(([first]) => first?.status === status).length;
  const notes = count('warned') === 0 ? '' : `, ${count('warned')} note${count('warned') === 1 ? '' : 's'}`;
  const end = isPassed
    ? `All ${count('passed')} passed${notes}.`
    : `${count('failed')} of ${groups.length} failed${notes}.`;
  return [...body, ...formatTimes(times), '', end];
}
