/**
 * Keeps secrets, personal data and what the operator's own patterns name out of requests and answers. On streams it sees text
 * before it leaves: of a hit not one byte goes out, and a stream without a hit keeps its bytes.
 */
import { definePlugin } from '@bifrost/sdk';
import type { ErrorInfo, HookContext } from '@bifrost/sdk';
import { activeDetectors, windowCharacters } from './guard-config.ts';
import type { ActiveDetector, GuardConfig } from './guard-config.ts';
import { judgeRequest, judgeResponse } from './judge-conversation.ts';
import type { Hit } from './scan.ts';
import { judgeEvent } from './stream-guard.ts';

export type { GuardConfig } from './guard-config.ts';

const defaultReplacement = '[REDACTED:{name}]';

/** Detectors of each configuration that is in use. */
const detectorsByConfig = new WeakMap<GuardConfig, readonly ActiveDetector[]>();

function detectorsOf(config: GuardConfig): readonly ActiveDetector[] {
  const known = detectorsByConfig.get(config);
  if (known !== undefined) return known;
  const detectors = activeDetectors(config);
  detectorsByConfig.set(config, detectors);
  return detectors;
}

function optionsOf({ config }: HookContext<GuardConfig>): {
  readonly detectors: readonly ActiveDetector[];
  readonly replacement: string;
} {
  return { detectors: detectorsOf(config), replacement: config.replacement ?? defaultReplacement };
}

const watches = (config: GuardConfig, side: 'input' | 'output'): boolean => config.on?.includes(side) ?? true;

/** Counts and reports what was found for the first time in a request, by the detectors' names: never by what was found. */
function report(context: HookContext<GuardConfig>, side: 'input' | 'output', hits: readonly Hit[]): void {
  if (hits.length === 0) return;
  const seenKey = `${side} found`;
  const stored = context.state.get(seenKey);
  const seen = Array.isArray(stored) ? stored.map(String) : [];
  const fresh = [...new Set(hits.map(({ detector }) => detector))].filter((name) => !seen.includes(name));
  // A hit in text that is kept back is seen again with every delta.
  if (fresh.length === 0) return;
  for (const name of fresh) context.shared.add(`${side}:${name}`);
  context.state.set(seenKey, [...seen, ...fresh]);
  context.setTraceAttribute(`${side}_found`, [...seen, ...fresh]);
  context.log.warn(`found ${fresh.join(', ')} in the ${side}`, { side, detectors: fresh });
}

function refusal(side: 'input' | 'output', hits: readonly Hit[]): ErrorInfo | undefined {
  const blocked = hits.find(({ action }) => action === 'block');
  if (blocked === undefined) return undefined;
  const what = side === 'input' ? 'The request' : "The model's answer";
  return {
    statusCode: side === 'input' ? 400 : 502,
    code: 'guard_blocked',
    type: 'guard_error',
    message: `${what} was refused: it contains something that the guard's detector "${blocked.detector}" names.`,
    origin: 'plugin',
    allowFallbacks: false,
  };
}

export default definePlugin<GuardConfig>({
  name: 'guard',
  version: '0.1.0',
  guard: true,

  init(context) {
    // A detector that cannot work keeps the plugin from being loaded, not from guarding.
    detectorsOf(context.config);
  },

  preLLMHook: {
    reads: 'messages',
    when: (config) => watches(config, 'input'),
    handler(context, { conversation }) {
      if (conversation === undefined) return undefined;
      const { hits, value } = judgeRequest(conversation, optionsOf(context));
      report(context, 'input', hits);
      const error = refusal('input', hits);
      if (error !== undefined) return { error };
      return value === conversation ? undefined : { conversation: value };
    },
  },

  postLLMHook: {
    reads: 'messages',
    filter: { isStream: false },
    when: (config) => watches(config, 'output'),
    handler(context, { response }) {
      if (response === undefined) return undefined;
      const { hits, value } = judgeResponse(response, optionsOf(context));
      report(context, 'output', hits);
      const error = refusal('output', hits);
      if (error !== undefined) return { error };
      return value === response ? undefined : { response: value };
    },
  },

  streamEventHook: {
    holdBack: { characters: windowCharacters },
    when: (config) => watches(config, 'output'),
    handler(context, event) {
      const verdict = judgeEvent(event, { ...optionsOf(context), state: context.state });
      report(context, 'output', verdict.hits);
      const error = refusal('output', verdict.hits);
      return error === undefined ? verdict.events : [{ type: 'error', error }];
    },
  },
});
