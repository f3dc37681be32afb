/** The report of a replay for people. */
import type { Plain } from './plain-value.ts';
import type { ChangedCall, ReplayReport } from './replay-calls.ts';

function shown(value: Plain): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 157)}...` : text;
}

const endings = {
  fails: (message: string) => `fails now: ${message}`,
  recovers: (message: string) => `failed before (${message}), and answers now`,
  gone: () => 'the build has no such hook',
  changed: () => '',
} as const;

function formatChange({ requestId, hook, index, kind, message = '', differences }: ChangedCall): readonly string[] {
  const said = endings[kind](message);
  const lines = differences.flatMap(({ path, before, after }) => [
    `    ${path === '' ? 'answer' : path}`,
    `      - ${shown(before)}`,
    `      + ${shown(after)}`,
  ]);
  return [`${hook}, call ${index} of request ${requestId}${said === '' ? '' : `: ${said}`}`, ...lines];
}

/** Lines for a terminal; at most `limit` changed calls are shown. */
export function formatReplay(report: ReplayReport, limit = 20): readonly string[] {
  const { calls, requests, same, changed, notes } = report;
  const left = changed.length - limit;
  return [
    ...changed.slice(0, limit).flatMap(formatChange),
    ...(left > 0 ? [`... and ${left} more`] : []),
    ...notes.map((note) => `note: ${note}`),
    `${calls} calls of ${requests} requests: ${same} answered as recorded, ${changed.length} otherwise.`,
  ];
}
