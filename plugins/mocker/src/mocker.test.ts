import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HookContext, LLMRequest, PreLLMResult } from '@bifrost/sdk';
import { chooseResponse, compileRules } from './choose-response.ts';
import { fillTemplate } from './fill-template.ts';
import plugin from './index.ts';
import { toMilliseconds } from './mocker-config.ts';
import type { MockerConfig, MockRule } from './mocker-config.ts';

function requestOf(text: string, provider = 'openai', model = 'gpt-4'): LLMRequest & { conversation: object } {
  const messages = [{ role: 'user', parts: [{ type: 'text', text }] }] as const;
  return { provider, model, isStream: false, fallbacks: [], conversation: { model, messages, stream: false } };
}

function contextOf(config: MockerConfig): { context: HookContext<MockerConfig>; counts: Record<string, number> } {
  const counts: Record<string, number> = {};
  const shared = { add: (name: string) => (counts[name] = (counts[name] ?? 0) + 1) };
  const context = { config, shared, signal: new AbortController().signal, setTraceAttribute: () => undefined };
  // The plugin uses these members and no other.
  return { context: context as unknown as HookContext<MockerConfig>, counts };
}

async function run(config: MockerConfig, request: LLMRequest): Promise<PreLLMResult | undefined> {
  const hook = plugin.preLLMHook;
  if (typeof hook !== 'object') throw new TypeError('expected a hook with options');
  return (await hook.handler(contextOf(config).context, request)) ?? undefined;
}

const success = (message: string): MockRule['responses'] => [{ type: 'success', content: { message } }];

describe('mocker', () => {
  it('answers everything where it has no rules', async () => {
    const result = await run({}, requestOf('Hi'));
    expect(result?.response?.candidates[0]?.parts).toEqual([
      { type: 'text', text: 'This is a mock response from the mocker plugin' },
    ]);
    expect(result?.response?.usage).toEqual({ inputTokens: 10, outputTokens: 20, totalTokens: 30 });
  });

  it('lets requests through that no rule matches, or answers them as it is told', async () => {
    const rules: MockRule[] = [{ name: 'a', conditions: { providers: ['anthropic'] }, responses: success('a') }];
    expect(await run({ rules }, requestOf('Hi'))).toBeUndefined();
    expect((await run({ rules, default_behavior: 'error' }, requestOf('Hi')))?.error?.statusCode).toBe(500);
    expect((await run({ rules, default_behavior: 'success' }, requestOf('Hi')))?.response).toBeDefined();
  });

  it('answers with an error as Bifrost does, with its say about fallbacks', async () => {
    const responses: MockRule['responses'] = [
      {
        type: 'error',
        allow_fallbacks: false,
        error: { message: 'slow down', type: 'rate_limit', code: '429', status_code: 429 },
      },
    ];
    expect(await run({ rules: [{ name: 'limit', responses }] }, requestOf('Hi'))).toEqual({
      error: {
        statusCode: 429,
        message: 'slow down',
        type: 'rate_limit',
        code: '429',
        allowFallbacks: false,
        origin: 'plugin',
      },
    });
  });

  it('refuses rules that cannot work when it is loaded, by their names', () => {
    const broken = { name: 'r', conditions: { message_regex: '(' }, responses: success('x') };
    expect(() => compileRules({ rules: [broken] })).toThrow(/rules "r": message_regex is no regular expression/);
    expect(() => compileRules({ rules: [{ name: 'e', responses: [{ type: 'error' }] }] })).toThrow(/rules "e"/);
  });
});

describe('the latency of a rule', () => {
  const latencyOf = (latency: NonNullable<MockRule['latency']>) =>
    compileRules({ rules: [{ name: 'r', responses: success('x'), latency }] })[0]?.latency;

  it('is a time or a range, and never one that ends before it begins', () => {
    expect(latencyOf({ type: 'fixed', min: '10ms', max: '30ms' })).toEqual({ minMs: 10, maxMs: 10 });
    expect(latencyOf({ type: 'uniform', min: '10ms', max: '30ms' })).toEqual({ minMs: 10, maxMs: 30 });
    expect(() => latencyOf({ type: 'uniform', min: '30ms', max: '10ms' })).toThrow(/max \(10ms\) is below its min/);
  });
});

describe('chooseResponse', () => {
  const choose = (rules: readonly MockRule[], request: LLMRequest, random = () => 0): string | undefined =>
    chooseResponse(compileRules({ rules }), request as Parameters<typeof chooseResponse>[1], random)?.compiled.rule
      .name;

  it('takes the most urgent rule that matches', () => {
    const rules: MockRule[] = [
      { name: 'low', priority: 1, responses: success('') },
      { name: 'high', priority: 9, conditions: { models: ['gpt-4'] }, responses: success('') },
      { name: 'off', priority: 99, enabled: false, responses: success('') },
    ];
    expect(choose(rules, requestOf('Hi'))).toBe('high');
    expect(choose(rules, requestOf('Hi', 'openai', 'other'))).toBe('low');
  });

  it("reads messages with Go's flags, and sizes", () => {
    const rules: MockRule[] = [
      { name: 'help', conditions: { message_regex: '(?i)HELP' }, responses: success('') },
      { name: 'long', conditions: { request_size: { min: 500 } }, responses: success('') },
    ];
    expect(choose(rules, requestOf('Please help'))).toBe('help');
    expect(choose(rules, requestOf('x'.repeat(500)))).toBe('long');
    expect(choose(rules, requestOf('short'))).toBeUndefined();
  });

  it('passes over a rule whose probability does not let it', () => {
    const rules: MockRule[] = [{ name: 'seldom', probability: 0.1, responses: success('') }];
    expect(choose(rules, requestOf('Hi'), () => 0.05)).toBe('seldom');
    expect(choose(rules, requestOf('Hi'), () => 0.5)).toBeUndefined();
  });

  it('chooses among responses by their weights', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (draw) => {
        const responses = [
          { type: 'success', weight: 1, content: { message: 'a' } },
          { type: 'success', weight: 3, content: { message: 'b' } },
        ] as const;
        const request = requestOf('Hi') as Parameters<typeof chooseResponse>[1];
        const chosen = chooseResponse(compileRules({ rules: [{ name: 'r', responses }] }), request, () => draw);
        expect(chosen?.response.content?.message).toBe(draw < 0.25 ? 'a' : 'b');
      }),
    );
  });
});

describe('toMilliseconds', () => {
  it('reads nanoseconds and texts', () => {
    expect([5_000_000, '150ms', '1.5s', '20us', '2m'].map(toMilliseconds)).toEqual([5, 150, 1500, 0.02, 120_000]);
    expect(() => toMilliseconds('soon')).toThrow(/150ms/);
  });
});

describe('fillTemplate', () => {
  it('fills facts and invented data in, and leaves what it does not know', () => {
    const text = fillTemplate('{{model}} at {{provider}}: {{faker.integer:3,3}} {{other}} {{faker.nothing}}', {
      model: 'm',
      provider: 'p',
    });
    expect(text).toBe('m at p: 3 {{other}} {{faker.nothing}}');
    expect(fillTemplate('{{faker.email}}', {})).toMatch(/^[a-z]+\.[a-z]+@example\.com$/);
    expect(fillTemplate('{{constructor}} {{faker.constructor}}', {})).toBe('{{constructor}} {{faker.constructor}}');
  });

  it('does not make a text without end', () => {
    expect(fillTemplate('{{faker.sentence:99999999}}', {})).toBe('{{faker.sentence:99999999}}');
  });
});
