import type { DialectName } from '@bifrost/sdk';
import { GatewayError } from '@bifrost/sdk';
import type { DialectCodec } from '@bifrost/core';
import { recordedProviders, recordingsOf } from '../recordings.ts';
import { judgeAcrossDialects } from './across-dialects.ts';
import type { CodecOf } from './exchange.ts';
import { recordingsOfDialect } from './exchange.ts';
import { judgeFraming } from './framing.ts';
import { knownExceptions } from './known-exceptions.ts';
import { judgeRoundTrip } from './round-trip.ts';
import type { Law, Verdict } from './verdict.ts';

/** The dialects between which conversations are translated, every one into every other. */
export const translatedDialects = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'gemini-generate-content',
] as const satisfies readonly DialectName[];

const roundTripDialects = [...translatedDialects, 'openai-completions'] as const satisfies readonly DialectName[];

/** The codecs of these dialects that are registered, in the same order. */
export function registeredCodecs(codecOf: CodecOf, dialects: readonly DialectName[]): readonly DialectCodec[] {
  return dialects.flatMap((dialect) => {
    try {
      return [codecOf(dialect)];
    } catch (error) {
      if (GatewayError.isInstance(error) && error.code === 'BF_DIALECT_UNKNOWN') return [];
      throw error;
    }
  });
}

/** All verdicts of one law. */
export function judgeAll(law: Law, codecOf: CodecOf): readonly Verdict[] {
  if (law === 'framing') {
    return recordedProviders()
      .flatMap(recordingsOf)
      .flatMap((recording) => judgeFraming(recording) ?? []);
  }
  if (law === 'round-trip') {
    return registeredCodecs(codecOf, roundTripDialects).flatMap((codec) =>
      recordingsOfDialect(codec.name).flatMap((recording) => judgeRoundTrip(codec, recording)),
    );
  }
  const codecs = registeredCodecs(codecOf, translatedDialects);
  return codecs.flatMap((source) =>
    recordingsOfDialect(source.name).flatMap((recording) =>
      codecs
        .filter((target) => target !== source)
        .flatMap((target) => judgeAcrossDialects({ source, target }, recording)),
    ),
  );
}

/** Why a recording may fail a law: the provider's own fault. Undefined where it may not. */
export function exceptionOf(failed: Verdict): string | undefined {
  return knownExceptions.find(
    ({ law, id, subject }) =>
      law === failed.law && id === failed.recording.id && (subject === undefined || subject === failed.subject),
  )?.fault;
}

/** Verdicts of one law over one provider's recordings. */
export interface LawCount {
  readonly provider: string;
  readonly law: Law;
  readonly total: number;
  readonly passed: number;
  readonly exceptions: number;
  readonly failed: number;
}

/** Counts per provider and law. */
export function countVerdicts(verdicts: readonly Verdict[]): readonly LawCount[] {
  const counts = new Map<string, { -readonly [Key in keyof LawCount]: LawCount[Key] }>();
  for (const one of verdicts) {
    const { provider } = one.recording;
    const key = `${provider} ${one.law}`;
    const count = counts.get(key) ?? { provider, law: one.law, total: 0, passed: 0, exceptions: 0, failed: 0 };
    counts.set(key, count);
    count.total += 1;
    if (one.failures.length === 0) count.passed += 1;
    else if (exceptionOf(one) !== undefined) count.exceptions += 1;
    else count.failed += 1;
  }
  return [...counts.values()];
}

const columns: readonly (readonly [Law, string])[] = [
  ['round-trip', 'law 2 round trip'],
  ['across-dialects', 'law 3 across dialects'],
  ['framing', 'law 4 framing'],
];

/** The counts as a Markdown table: one row per provider, `passed/total` per law, exceptions and failures where there are any. */
export function formatCounts(counts: readonly LawCount[]): string {
  const cell = (rows: readonly LawCount[]): string => {
    if (rows.length === 0) return '-';
    const sum = (name: 'total' | 'passed' | 'exceptions' | 'failed'): number =>
      rows.reduce((total, row) => total + row[name], 0);
    const notes = [
      ...(sum('exceptions') > 0 ? [`${sum('exceptions')} excepted`] : []),
      ...(sum('failed') > 0 ? [`${sum('failed')} FAILED`] : []),
    ];
    return `${sum('passed')}/${sum('total')}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
  };
  const providers = [...new Set(counts.map((count) => count.provider))].toSorted();
  const row = (name: string, own: readonly LawCount[]): string =>
    `| ${[name, ...columns.map(([law]) => cell(own.filter((count) => count.law === law)))].join(' | ')} |`;
  return [
    `| provider | ${columns.map(([, title]) => title).join(' | ')} |`,
    '| --- | --- | --- | --- |',
    ...providers.map((provider) =>
      row(
        provider,
        counts.filter((count) => count.provider === provider),
      ),
    ),
    row('all', counts),
  ].join('\n');
}
