import { describe, expect, it } from 'vitest';
import type {
  ConversationRequest,
  HookContext,
  Json,
  LLMOutcome,
  PostLLMResult,
  PreLLMResult,
  StreamEvent,
} from '@bifrost/sdk';
import { builtinDetectors, passesIban, passesLuhn } from './detectors.ts';
import { activeDetectors } from './guard-config.ts';
import type { GuardConfig } from './guard-config.ts';
import plugin from './index.ts';
import { judgeResponse } from './judge-conversation.ts';
import { redact, scan } from './scan.ts';
import { judgeEvent } from './stream-guard.ts';

const key = `sk-${'Ab3'.repeat(12)}`;

function contextOf(config: GuardConfig): { context: HookContext<GuardConfig>; lines: string[]; found: Json[] } {
  const lines: string[] = [];
  const found: Json[] = [];
  const context = {
    config,
    state: new Map<string, Json>(),
    shared: { add: () => 1 },
    log: { warn: (line: string) => lines.push(line) },
    setTraceAttribute: (_key: string, value: Json) => found.push(value),
  };
  // The plugin uses these members and no other.
  return { context: context as unknown as HookContext<GuardConfig>, lines, found };
}

const conversation: ConversationRequest = {
  model: 'm',
  stream: false,
  messages: [
    { role: 'user', parts: [{ type: 'text', text: `my key is ${key}.` }] },
    { role: 'assistant', parts: [{ type: 'tool-call', id: '1', name: 'f', arguments: `{"k":"${key}"}` }] },
    { role: 'tool', parts: [{ type: 'tool-result', toolCallId: '1', content: [{ type: 'text', text: key }] }] },
    { role: 'user', parts: [{ type: 'text', text: 'thanks' }] },
  ],
};

async function judge(config: GuardConfig): Promise<{ result: PreLLMResult | undefined; lines: readonly string[] }> {
  const hook = plugin.preLLMHook;
  if (typeof hook !== 'object') throw new TypeError('expected a hook with options');
  const { context, lines } = contextOf(config);
  const request = { model: 'm', isStream: false, fallbacks: [], conversation };
  return { result: (await hook.handler(context, request)) ?? undefined, lines };
}

describe('the guard on requests', () => {
  it('redacts every text of a conversation and keeps the rest as it is', async () => {
    const { result, lines } = await judge({});
    expect(JSON.stringify(result)).not.toContain('Ab3Ab3');
    expect(result?.conversation?.messages[0]?.parts[0]).toEqual({
      type: 'text',
      text: 'my key is [REDACTED:openai-key].',
    });
    expect(result?.conversation?.messages[3]).toBe(conversation.messages[3]);
    expect(lines).toEqual(['found openai-key in the input']);
  });

  it('redacts what only one dialect has a name for, member names and all, and leaves what only the provider can read', async () => {
    const value = {
      type: 'server_tool_use',
      input: { query: [key], [key]: 1 },
      encrypted_content: key,
      signature: key,
    };
    const parts = [
      { type: 'server-tool', dialect: 'anthropic-messages', name: 'web_search', value },
      { type: 'opaque', dialect: 'anthropic-messages', value: { note: 'nothing' } },
    ] as const;
    const messages = [{ role: 'assistant', parts }] as const;
    const hook = plugin.preLLMHook as Extract<typeof plugin.preLLMHook, { handler: unknown }>;
    const request = { model: 'm', isStream: false, fallbacks: [], conversation: { ...conversation, messages } };
    const result = (await hook.handler(contextOf({}).context, request)) ?? undefined;
    const judged = result?.conversation?.messages[0]?.parts;
    expect(judged?.[0]).toEqual({
      ...parts[0],
      value: { ...value, input: { query: ['[REDACTED:openai-key]'], '[REDACTED:openai-key]': 1 } },
    });
    expect(judged?.[1]).toBe(parts[1]);
  });

  it('refuses a request where it shall block, without saying what it found', async () => {
    const { result } = await judge({ action: 'block' });
    expect(result?.error).toMatchObject({ statusCode: 400, code: 'guard_blocked', allowFallbacks: false });
    expect(JSON.stringify(result)).not.toContain('Ab3');
  });

  it('changes nothing where it only watches, or finds nothing', async () => {
    expect((await judge({ action: 'monitor' })).result).toBeUndefined();
    expect((await judge({ secrets: false })).result).toBeUndefined();
  });

  it('knows patterns of its operator', async () => {
    const rules = [{ name: 'thanks', pattern: 'THANK\\w+', flags: 'i', action: 'block' }] as const;
    expect((await judge({ secrets: false, rules })).result?.error?.message).toContain('"thanks"');
    // One that does not say what to do does what all do.
    const [{ action: _action, ...rule }] = rules;
    const silent = { secrets: false, rules: [rule] };
    expect((await judge({ ...silent, action: 'block' })).result?.error?.message).toContain('"thanks"');
    expect((await judge(silent)).result?.conversation?.messages[3]?.parts).toEqual([
      { type: 'text', text: '[REDACTED:thanks]' },
    ]);
  });
});

describe('the guard on whole answers', () => {
  it('redacts, or puts an error in the place of the answer', async () => {
    const hook = plugin.postLLMHook;
    if (typeof hook !== 'object') throw new TypeError('expected a hook with options');
    const outcome: LLMOutcome = {
      request: { model: 'm', isStream: false, fallbacks: [] },
      response: { candidates: [{ index: 0, parts: [{ type: 'text', text: key }] }] },
      statusCode: 200,
      latencyMs: 1,
    };
    const run = async (config: GuardConfig): Promise<PostLLMResult | undefined> =>
      (await hook.handler(contextOf(config).context, outcome)) ?? undefined;
    expect((await run({}))?.response?.candidates[0]?.parts).toEqual([{ type: 'text', text: '[REDACTED:openai-key]' }]);
    expect((await run({ action: 'block' }))?.error).toMatchObject({ statusCode: 502, code: 'guard_blocked' });
  });

  it('looks at what is said of a text too: its tokens, its citations, and what only the dialect has a name for', () => {
    const detectors = activeDetectors({});
    const options = { detectors, replacement: '[{name}]' };
    const logprobs = [{ token: key.slice(0, 20), logprob: 0 }];
    const residue = { dialect: 'openai-chat', fields: { note: key, n: 1 } } as const;
    const citations = [{ url: `https://x.example/?k=${key}`, citedText: key, startIndex: 0 }];
    const parts = [
      { type: 'text', text: key, logprobs },
      { type: 'text', text: 'fine', logprobs, citations },
      { type: 'text', text: 'fine', residue },
    ] as const;
    const { hits, value } = judgeResponse({ candidates: [{ index: 0, parts, residue }], residue }, options);
    expect(JSON.stringify(value)).not.toContain('Ab3Ab3Ab3Ab3Ab3Ab3Ab3Ab3');
    expect(value.candidates[0]?.parts).toEqual([
      { type: 'text', text: '[openai-key]' },
      {
        type: 'text',
        text: 'fine',
        logprobs,
        citations: [{ url: 'https://x.example/?k=[openai-key]', citedText: '[openai-key]', startIndex: 0 }],
      },
      { type: 'text', text: 'fine', residue: { dialect: 'openai-chat', fields: { note: '[openai-key]', n: 1 } } },
    ]);
    expect(hits).toHaveLength(6);
    const cited = { type: 'citation', part: 'a', citation: { citedText: key } } as const;
    expect(judgeEvent(cited, { ...options, state: new Map() }).events).toEqual([
      { ...cited, citation: { citedText: '[openai-key]' } },
    ]);
  });
});

describe('the guard on streams', () => {
  it('redacts and reports, or ends the stream with an error', async () => {
    const hook = plugin.streamEventHook;
    if (typeof hook !== 'object') throw new TypeError('expected a hook with options');
    const events: readonly StreamEvent[] = [
      { type: 'text-delta', part: '0', text: `${key} `, isLast: true },
      { type: 'opaque', dialect: 'anthropic-messages', value: { note: key } },
    ];
    for (const event of events) {
      const redacting = contextOf({});
      expect(JSON.stringify(await hook.handler(redacting.context, event))).toContain('[REDACTED:openai-key]');
      expect(redacting.lines).toEqual(['found openai-key in the output']);
      const blocking = contextOf({ action: 'block' });
      expect(await hook.handler(blocking.context, event)).toMatchObject([
        { type: 'error', error: { statusCode: 502, code: 'guard_blocked' } },
      ]);
      expect(blocking.lines).toHaveLength(1);
    }
    const finish: StreamEvent = { type: 'finish', reason: { kind: 'stop' } };
    expect(await hook.handler(contextOf({}).context, finish)).toBeUndefined();
  });
});

describe('detectors', () => {
  const all = activeDetectors({ secrets: true, pii: true });
  const found = (text: string): readonly string[] => scan(text, all).map(({ detector }) => detector);

  it.each([
    ['AKIAIOSFODNN7EXAMPLE', 'aws-access-key'],
    [`AIza${'x'.repeat(35)}`, 'google-key'],
    [`glpat-${'x'.repeat(20)}`, 'gitlab-token'],
    [`xoxb-${'1'.repeat(12)}`, 'slack-token'],
    [`sk_live_${'x'.repeat(24)}`, 'stripe-key'],
    [`hf_${'x'.repeat(34)}`, 'huggingface-token'],
    ['mail to ada@example.co.uk now', 'email'],
    ['card 4111-1111-1111-1111.', 'credit-card'],
    ['GB82 WEST 1234 5698 7654 32', 'iban'],
    ['ssn 078-05-1120', 'us-ssn'],
    ['call +44 20 7946 0958', 'phone'],
    ['from 192.168.1.77.', 'ipv4'],
  ])('%s is found', (text, name) => {
    expect(found(text)).toContain(name);
  });

  it.each([
    '4111 1111 1111 1112',
    '000-12-3456',
    '1.2.3',
    '300.1.1.1',
    'risk-free',
    'task-force',
    'a@b',
    'DE89 3704 0044 0532 0130 01',
  ])('%s is not', (text) => {
    expect(found(text)).toEqual([]);
  });

  it('checks digits as the standards say', () => {
    expect(passesLuhn('0000 0000 0000 0000')).toBe(false);
    for (const card of ['378282246310005', '5105105105105100', '5555555555554444', '6011000990139424']) {
      expect(passesLuhn(card)).toBe(true);
    }
    expect(passesLuhn('5105105105105101')).toBe(false);
    expect(passesIban('FR14 2004 1010 0505 0001 3M02 606')).toBe(true);
  });

  it('does not find its own replacement', () => {
    for (const { name } of [...builtinDetectors.secrets, ...builtinDetectors.pii]) {
      expect(
        found(
          redact('x', [{ detector: name, action: 'redact', start: 0, end: 1, isArmour: false }], '[REDACTED:{name}]'),
        ),
      ).toEqual([]);
    }
  });

  it('refuses names and patterns that cannot work', () => {
    expect(() => activeDetectors({ secrets: ['openia-key'] })).toThrow(/there is no "openia-key"; known are/);
    expect(() => activeDetectors({ rules: [{ name: 'r', pattern: '(' }] })).toThrow(/rules "r"/);
    expect(() => activeDetectors({ rules: [{ name: 'r', pattern: 'x*' }] })).toThrow(/matches nothing at all/);
  });

  it('takes time in proportion to the text', () => {
    const text = `${'a'.repeat(50_000)}@${'1-'.repeat(50_000)}`;
    const startedAt = performance.now();
    found(text);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});
