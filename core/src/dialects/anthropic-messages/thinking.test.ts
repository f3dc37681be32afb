import { describe, expect, it } from 'vitest';
import type { ConversationRequest, Message } from '@bifrost/sdk';
import { encodeRequest, exampleTool, foreignRequest, userMessage } from './testing/encode-request.ts';
import { defaultMaxTokens } from './thinking.ts';

describe('how much to think', () => {
  const think = (reasoning: ConversationRequest['reasoning'], more: Partial<ConversationRequest> = {}) => {
    const { body, fields } = encodeRequest(
      foreignRequest([userMessage('a')], { ...(reasoning === undefined ? {} : { reasoning }), ...more }),
    );
    return {
      thinking: body['thinking'] as unknown,
      config: body['output_config'] as unknown,
      maxTokens: body['max_tokens'] as unknown,
      fields,
    };
  };
  const off = { thinking: undefined, config: undefined, fields: [] };

  it('becomes a budget on models that know budgets, and max_tokens exceeds it', () => {
    expect(think({ effort: 'low' })).toEqual({
      thinking: { type: 'enabled', budget_tokens: 2048 },
      config: undefined,
      maxTokens: 2048 + defaultMaxTokens,
      fields: ['changed reasoning.effort'],
    });
    expect(think({ effort: 'high' }, { maxOutputTokens: 4000 })).toMatchObject({
      thinking: { budget_tokens: 2000 },
      maxTokens: 4000,
      fields: ['changed reasoning.effort'],
    });
    expect(think({ effort: 'high' }, { maxOutputTokens: 500 })).toMatchObject({
      maxTokens: 16_884,
      fields: ['changed reasoning.effort', 'changed max_tokens'],
    });
    expect(think({ budgetTokens: 100 }, { maxOutputTokens: 2000 })).toMatchObject({
      thinking: { budget_tokens: 1024 },
      maxTokens: 2000,
      fields: ['changed reasoning.max_tokens'],
    });
    expect(think({ budgetTokens: 5000 }, { maxOutputTokens: 2000 })).toMatchObject({
      thinking: { budget_tokens: 5000 },
      maxTokens: 7000,
      fields: ['changed max_tokens'],
    });
    expect(think({ isAdaptive: true })).toMatchObject({ thinking: { type: 'enabled', budget_tokens: 8192 } });
  });

  it('becomes an effort on models that decide for themselves', () => {
    const model = 'claude-opus-4-7';
    expect(think({ effort: 'xhigh', summary: 'auto' }, { model })).toEqual({
      thinking: { type: 'adaptive', display: 'summarized' },
      config: { effort: 'xhigh' },
      maxTokens: defaultMaxTokens,
      fields: [],
    });
    expect(think({ effort: 'minimal' }, { model })).toMatchObject({
      config: { effort: 'low' },
      fields: ['changed reasoning.effort'],
    });
    expect(think({ effort: 'xhigh' }, { model: 'claude-opus-4-6' })).toMatchObject({
      config: { effort: 'high' },
      fields: ['changed reasoning.effort'],
    });
    expect(think({ budgetTokens: 9000 }, { model })).toMatchObject({
      thinking: { type: 'adaptive' },
      config: { effort: 'high' },
      fields: ['changed reasoning.max_tokens'],
    });
    expect(think({ budgetTokens: 9000 }, { model: 'claude-sonnet-4-6' })).toMatchObject({
      thinking: { type: 'enabled', budget_tokens: 9000 },
      fields: [],
    });
    expect(think({ effort: 'none' }, { model })).toMatchObject({ thinking: { type: 'disabled' }, fields: [] });
    for (const always of ['claude-fable-5', 'claude-mythos-preview', 'claude-opus-5-5']) {
      const asked = think({ effort: 'none' }, { model: always });
      expect(asked).toMatchObject({ config: { effort: 'low' }, fields: ['changed reasoning.effort'] });
      expect(asked.thinking).toBeUndefined();
    }
  });

  it('is left out where it is off or cannot be', () => {
    expect(think({ effort: 'none' })).toMatchObject(off);
    expect(think({ isDisabled: true })).toMatchObject(off);
    expect(think(undefined)).toMatchObject(off);
    expect(think({ effort: 'low' }, { tools: [exampleTool], toolChoice: { type: 'required' } })).toMatchObject({
      ...off,
      fields: ['dropped reasoning'],
    });
    const loop: readonly Message[] = [
      userMessage('a'),
      { role: 'assistant', parts: [{ type: 'tool-call', id: 'a', name: 'f', arguments: '{}' }] },
      { role: 'tool', parts: [{ type: 'tool-result', toolCallId: 'a', content: [] }] },
    ];
    expect(think({ effort: 'low' }, { messages: loop, tools: [exampleTool] })).toMatchObject({
      ...off,
      fields: ['dropped reasoning'],
    });
    expect(think({ effort: 'low' }, { temperature: 0.5, topK: 3 }).fields).toEqual([
      'changed reasoning.effort',
      'dropped temperature',
      'dropped top_k',
    ]);
  });
});
