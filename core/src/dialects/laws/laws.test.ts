import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  countVerdicts,
  exceptionOf,
  formatCounts,
  interestingOffsets,
  judgeAcrossDialects,
  judgeAll,
  knownExceptions,
  recordingsOfDialect,
  registeredCodecs,
  translatedDialects,
} from '@bifrost/testkit';
import type { Law, Verdict } from '@bifrost/testkit';
import type { DialectCodec } from '../codec.ts';
import { codecOf } from '../registry.ts';

const judged = new Map<Law, readonly Verdict[]>();

const verdictsOf = (law: Law): readonly Verdict[] => {
  const verdicts = judged.get(law) ?? judgeAll(law, codecOf);
  judged.set(law, verdicts);
  return verdicts;
};

const describeFailure = ({ recording, subject, target, failures }: Verdict): string =>
  `${recording.id}, ${subject}${target === undefined ? '' : ` to ${target}`}: ${failures.join('; ')}`;

/** The codec with one half changed: what the laws must notice. */
const withChange = (codec: DialectCodec, change: Partial<DialectCodec>): DialectCodec => ({ ...codec, ...change });

const chat = codecOf('openai-chat');
const claude = codecOf('anthropic-messages');
const sample = recordingsOfDialect('anthropic-messages').filter((_, index) => index % 4 === 0);
const countFailures = (target: DialectCodec, subject: Verdict['subject']): number =>
  sample
    .flatMap((recording) => judgeAcrossDialects({ source: claude, target }, recording))
    .filter((one) => one.subject === subject && one.failures.length > 0).length;
const silent = { add: () => undefined };

describe('the laws of the codecs, over every recording', () => {
  afterAll(() => {
    console.log(`\n${formatCounts(countVerdicts([...judged.values()].flat()))}`);
    for (const { id, law, fault } of knownExceptions) console.log(`exception, ${law}: ${id}: ${fault}`);
  });

  it('has a codec for every dialect', () => {
    expect(registeredCodecs(codecOf, translatedDialects).map((codec) => codec.name)).toEqual([...translatedDialects]);
  });

  it.each([
    ['law 2: decode then encode within one dialect is deep-equal', 'round-trip', 2300],
    ['law 3: across dialects everything is kept or its loss reported', 'across-dialects', 7000],
    ['law 4: the framing does not depend on where the bytes are cut', 'framing', 400],
  ] as const)(
    '%s',
    (_, law, atLeast) => {
      const verdicts = verdictsOf(law);
      expect(verdicts.length).toBeGreaterThan(atLeast);
      const broken = verdicts.filter((one) => one.failures.length > 0);
      expect(broken.filter((one) => exceptionOf(one) === undefined).map(describeFailure)).toEqual([]);
      expect(broken.length / verdicts.length).toBeLessThanOrEqual(0.01);
    },
    120_000,
  );

  it('excepts nothing that passes', () => {
    for (const exception of knownExceptions) {
      const isBroken = verdictsOf(exception.law).some(
        (one) => one.recording.id === exception.id && one.failures.length > 0 && exceptionOf(one) === exception.fault,
      );
      expect(isBroken, exception.id).toBe(true);
    }
  });
});

it('are told by provider as docs/laws.md has it', () => {
  const table = formatCounts(countVerdicts([...judged.values()].flat()))
    .split('\n')
    .slice(2)
    .join('\n');
  const page = readFileSync(resolve(import.meta.dirname, '../../../../docs/laws.md'), 'utf8');
  expect(page.replaceAll(/ +/g, ' '), `the page should have\n${table}`).toContain(table);
});

describe('what the laws notice', () => {
  it('passes the sample with the codec as it is', () => {
    expect((['request', 'response', 'stream'] as const).map((subject) => countFailures(chat, subject))).toEqual([
      0, 0, 0,
    ]);
  });

  it('a codec that reports no loss', () => {
    const mute = withChange(chat, {
      encodeRequest: (request, options) => chat.encodeRequest(request, { ...options, report: silent }),
      encodeResponse: (response, options) => chat.encodeResponse(response, { ...options, report: silent }),
      createStreamEncoder: (options) => chat.createStreamEncoder({ ...options, report: silent }),
    });
    expect(countFailures(mute, 'request')).toBeGreaterThan(20);
    expect(countFailures(mute, 'response')).toBeGreaterThan(20);
    expect(countFailures(mute, 'stream')).toBeGreaterThan(2);
  });

  it.each([
    ['the usage', (body: Record<string, unknown>) => ({ ...body, usage: undefined })],
    ['the answer', (body: Record<string, unknown>) => ({ ...body, choices: [] })],
    ['the finish reason', (body: Record<string, unknown>) => replaceIn(body, 'finish_reason', 'length')],
    ['a letter of the text', (body: Record<string, unknown>) => replaceIn(body, 'content', 'x')],
    ['the arguments of tool calls', (body: Record<string, unknown>) => replaceIn(body, 'arguments', '{}')],
    ['the ids of tool calls', (body: Record<string, unknown>) => replaceIn(body, 'id', 'call_0')],
    ['the signature of the thinking', (body: Record<string, unknown>) => replaceIn(body, 'signature', 'x')],
  ])('a codec that forgets %s', (_, forget) => {
    const forgetful = withChange(chat, {
      encodeResponse: (response, options) => forget({ ...chat.encodeResponse(response, options) }) as never,
    });
    expect(countFailures(forgetful, 'response')).toBeGreaterThan(2);
  });

  it('a stream that loses its last events, and one that says everything twice', () => {
    const cutting = (keep: number, times: number): DialectCodec =>
      withChange(chat, {
        createStreamEncoder: (options) => {
          const encoder = chat.createStreamEncoder(options);
          let count = 0;
          return {
            push: (frame) =>
              encoder
                .push(frame)
                .flatMap((event) => (count++ < keep ? Array.from({ length: times }, () => event) : [])),
            finish: () => encoder.finish(),
            fail: (error) => encoder.fail(error),
          };
        },
      });
    const all = sample.filter((one) => one.stream).length;
    expect(countFailures(cutting(5, 1), 'stream')).toBeGreaterThan(all / 2);
    expect(countFailures(cutting(Infinity, 2), 'stream')).toBeGreaterThan(all / 2);
  });

  it('cuts around line ends, in field names and inside characters of a large stream', () => {
    const large = Buffer.from(`data: ${'x'.repeat(600)}ä\r\n\r\n`);
    const offsets = new Set(interestingOffsets(large));
    for (const inside of [1, 4, 607, 608, 609, 610, 611]) expect(offsets.has(inside), String(inside)).toBe(true);
    expect(offsets.size).toBeLessThan(40);
  });
});

/** The value with every string member of this name replaced. */
function replaceIn(value: unknown, name: string, text: string): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(value, (key, member: unknown) => (key === name && typeof member === 'string' ? text : member)),
  ) as Record<string, unknown>;
}
