/** What the figures of `bench` come to for one request, isolation beside isolation. */
import type { HookName } from '@bifrost/sdk';
import { formatDuration } from '@bifrost/testkit/plugins';
import type { MeasuredHook } from '@bifrost/testkit/plugins';

/** Called for every piece of a stream. */
const perEvent: readonly HookName[] = ['streamEventHook', 'httpTransportStreamChunkHook'];
/** Nobody waits for `inject`; the others are for calls of tools. */
const besideRequest: readonly HookName[] = [
  'inject',
  'preMCPHook',
  'postMCPHook',
  'preMCPConnectionHook',
  'postMCPConnectionHook',
];
/** An answer of a model of usual size. */
const usualAnswerMs = 500;

interface Sum {
  readonly isolation: string;
  readonly ms: number;
}

function sums(measured: readonly MeasuredHook[], isCounted: (hook: HookName) => boolean): readonly Sum[] {
  const counted = measured.filter(({ hook }) => isCounted(hook));
  return [...Map.groupBy(counted, ({ isolation }) => isolation)].map(([isolation, hooks]) => ({
    isolation,
    ms: hooks.reduce((sum, { p50Ms }) => sum + p50Ms, 0),
  }));
}

/** `inline 5.3 us, worker 106 us (20 times), process 168 us (32 times)`. */
function compare(all: readonly Sum[]): string {
  const [first] = all;
  return all
    .map(({ isolation, ms }) => {
      const times = first === undefined || first.isolation === isolation || first.ms === 0 ? 0 : ms / first.ms;
      const ratio = times === 0 ? '' : ` (${times < 10 ? times.toFixed(1) : Math.round(times)} times)`;
      return `${isolation} ${formatDuration(ms)}${ratio}`;
    })
    .join(', ');
}

/** Lines below the table, by the p50 of each hook. */
export function benchSummary(measured: readonly MeasuredHook[]): readonly string[] {
  const request = sums(measured, (hook) => !perEvent.includes(hook) && !besideRequest.includes(hook));
  const event = sums(measured, (hook) => perEvent.includes(hook));
  const share = (Math.max(0, ...request.map(({ ms }) => ms)) / usualAnswerMs) * 100;
  const most = share < 0.01 ? 'less than 0.01' : share.toFixed(2);
  return [
    ...(request.length === 0 ? [] : [`A request waits for it:        ${compare(request)}`]),
    ...(event.length === 0 ? [] : [`An event of a stream does:     ${compare(event)}`]),
    ...(request.length === 0
      ? []
      : [`Of an answer after ${usualAnswerMs} ms that is ${most} % at most, without the events.`]),
  ];
}
