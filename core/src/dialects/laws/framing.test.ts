import { describe, expect, it } from 'vitest';
import { interestingOffsets, judgeFraming, recordedProviders, recordingsOf } from '@bifrost/testkit';

const verdicts = recordedProviders()
  .flatMap(recordingsOf)
  .flatMap((recording) => judgeFraming(recording) ?? []);

describe('law 4 at the framing layer', () => {
  it('finds the same events in every recorded stream, however it is cut, with CRLF too', () => {
    expect(verdicts.length).toBeGreaterThan(400);
    const broken = verdicts.filter((one) => one.failures.length > 0);
    expect(broken.map((one) => `${one.recording.id}: ${one.failures.join('; ')}`)).toEqual([]);
  });

  it('cuts around line ends, in field names and inside characters of a large stream', () => {
    const large = Buffer.from(`data: ${'x'.repeat(600)}ä\r\n\r\n`);
    const offsets = new Set(interestingOffsets(large));
    for (const inside of [1, 4, 607, 608, 609, 610, 611]) expect(offsets.has(inside), String(inside)).toBe(true);
    expect(offsets.size).toBeLessThan(40);
  });
});
