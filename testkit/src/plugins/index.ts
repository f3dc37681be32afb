/** The conformance kit for plugins, and what replays and measurements share with it. */
export { testPlugin } from './conformance.ts';
export type { PluginTestReport, TestCase, TestPluginOptions } from './conformance.ts';
export type { Exchange } from './exchanges.ts';
export { exchangeFor, standardExchanges } from './exchanges.ts';
export { formatDuration, formatReport, formatTable } from './format-report.ts';
export { percentile } from './hook-times.ts';
export type { HookTimes } from './hook-times.ts';
export { measureHooks } from './measure-hooks.ts';
export type { MeasuredHook } from './measure-hooks.ts';
export { observeHooks } from './observe-hooks.ts';
export type { ObservedCall } from './observe-hooks.ts';
export { differences, toPlain } from './plain-value.ts';
export type { Difference, Plain } from './plain-value.ts';
export { playExchange, playMCP } from './play-exchange.ts';
export type { PluginCell, PluginUnderTest } from './plugin-cell.ts';
export { formatReplay } from './format-replay.ts';
export { replayCalls } from './replay-calls.ts';
export type { ChangedCall, ReplayReport } from './replay-calls.ts';
