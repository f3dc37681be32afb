import type { PluginInstance } from '@bifrost/core';
import { LocalSharedState } from '@bifrost/core/plugins';
import { describe, expect, it } from 'vitest';
import type { CallMessage } from '../protocol.ts';
import { RunnerRequest } from './runner-request.ts';

const facts = { requestId: 'r', requestType: 'chat_completion', method: 'POST', path: '/', isStream: false };
const call: CallMessage = { kind: 'call', call: 1, request: 1, hook: 'preLLMHook', input: {} };

function request(): RunnerRequest {
  const instance: PluginInstance = {
    name: 'p',
    config: {},
    hooks: {},
    self: {},
    isGuard: false,
    placement: 'post_builtin',
    order: 0,
    shared: new LocalSharedState('p'),
    log: () => undefined,
  };
  return new RunnerRequest(facts, instance, true);
}

describe('what a plugin does to its request from elsewhere', () => {
  it('is told once: values, trace and routing notes', () => {
    const made = request();
    const context = made.begin(call);
    expect(made.takeEffects()).toBeUndefined();
    context.setValue('seen', 1);
    context.setTraceAttribute('team', 'red');
    context.addRoutingNote('to the nearest');
    expect(made.takeEffects()).toEqual({
      values: [['p/seen', 1]],
      attributes: [['team', 'red']],
      routingNotes: ['to the nearest'],
    });
    expect(made.takeEffects()).toBeUndefined();
  });

  it('is not what it was told of others', () => {
    const made = request();
    const context = made.begin({ ...call, values: [['other/key', 2]] });
    expect(context.getValue('other/key')).toBe(2);
    expect(made.takeEffects()).toBeUndefined();
  });
});
