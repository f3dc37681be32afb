import { defaultTimeoutMs } from '@bifrost/core';
import { hookNames } from '@bifrost/sdk';
import type { HookName } from '@bifrost/sdk';
import type { RunnerStage } from '../control.ts';
import type { PluginDescription } from '../remote-plugin.ts';
import { defaultGraceMs, defaultInitTimeoutMs } from './remote-options.ts';
import type { RemotePluginOptions } from './remote-options.ts';

/** For a realm to come up at all. */
export const bootTimeoutMs = 30_000;

/** What a realm does at the moment. */
export interface RealmMoment {
  readonly stage: RunnerStage | 'boot';
  readonly description: PluginDescription;
  /** Whose synchronous part runs; undefined where none does. */
  readonly hook: HookName | undefined;
}

/** How long the loop of a realm may be blocked in what it does now. */
export function blockLimitMs(options: RemotePluginOptions, moment: RealmMoment): number {
  const graceMs = options.graceMs ?? defaultGraceMs;
  switch (moment.stage) {
    case 'boot':
      return bootTimeoutMs;
    case 'module':
    case 'init':
      return (options.initTimeoutMs ?? defaultInitTimeoutMs) + graceMs;
    case 'cleanup':
      return Number.POSITIVE_INFINITY; // `close` has its own deadline
    case 'hooks':
      return (options.entry.timeoutMs ?? hookTimeoutMs(moment)) + graceMs;
  }
}

function hookTimeoutMs({ description: { hooks }, hook }: RealmMoment): number {
  if (hook !== undefined) return hooks[hook]?.timeoutMs ?? defaultTimeoutMs;
  // Not in the synchronous part of a hook: in the continuation of one, or in a timer.
  const timeouts = hookNames
    .filter((name) => hooks[name] !== undefined)
    .map((name) => hooks[name]?.timeoutMs ?? defaultTimeoutMs);
  return timeouts.length === 0 ? defaultTimeoutMs : Math.max(...timeouts);
}
