import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { streamThroughGuard } from './__tests__/hold-back-host.ts';
import { activeDetectors, windowCharacters } from './guard-config.ts';
import { redact, scan } from './scan.ts';

const detectors = activeDetectors({ secrets: true, pii: true });
const key = `sk-${'Ab3'.repeat(12)}`;

/** Cuts a text into pieces at the given shares of its length. */
function cut(text: string, shares: readonly number[]): readonly string[] {
  const places = [0, ...shares.map((share) => Math.floor(share * text.length)).toSorted((a, b) => a - b), text.length];
  return places.slice(1).map((end, index) => text.slice(places[index], end));
}

const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 });
const filler = fc.lorem({ maxCount: 120 });
const planted = fc.constantFrom(
  key,
  'AKIAIOSFODNN7EXAMPLE',
  `ghp_${'x1'.repeat(18)}`,
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P',
  'ada.lovelace@example.com',
  '4111 1111 1111 1111',
  'DE89 3704 0044 0532 0130 00',
);

describe('a stream through the guard', () => {
  it('lets not one part of a planted secret out, wherever the pieces end', () => {
    fc.assert(
      fc.property(filler, planted, filler, shares, (before, secret, after, at) => {
        const text = `${before} ${secret} ${after}`;
        const sent = streamThroughGuard(cut(text, at), detectors).join('');
        expect(sent).not.toContain(secret.slice(0, 6));
        expect(sent).toBe(redact(text, scan(text, detectors), '[{name}]'));
      }),
      { numRuns: 500 },
    );
  });

  it('leaves a text without a hit as it is', () => {
    fc.assert(
      fc.property(filler, shares, (text, at) => {
        expect(streamThroughGuard(cut(text, at), detectors).join('')).toBe(text);
      }),
    );
  });

  it('waits for what may still grow: digits that are a card number only without those to come stay', () => {
    const [first, second] = ['paid with 4222222222222', '340 by me'];
    expect(redact(first, scan(first, detectors), '[{name}]')).toBe('paid with [credit-card]');
    expect(streamThroughGuard([first, second], detectors).join('')).toBe(first + second);
  });

  it('takes out a key that is longer than what is kept back, and goes on behind it', () => {
    fc.assert(
      fc.property(shares, (at) => {
        const text = `before sk-${'x'.repeat(windowCharacters * 3)} after`;
        expect(streamThroughGuard(cut(text, at), detectors).join('')).toBe('before [openai-key] after');
      }),
    );
  });

  it('takes out a private key up to the end of its armour', () => {
    const armour = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEpAIBAAKCAQEA\n'.repeat(100)}-----END RSA PRIVATE KEY-----`;
    fc.assert(
      fc.property(shares, (at) => {
        const sent = streamThroughGuard(cut(`Here: ${armour} done`, at), detectors).join('');
        expect(sent).toBe('Here: [private-key] done');
      }),
    );
  });

  it('lets nothing of a private key out whose armour never ends', () => {
    const text = `Here: -----BEGIN PRIVATE KEY-----\n${'MIIEpAIBAAKCAQEA\n'.repeat(100)}`;
    expect(streamThroughGuard(cut(text, [0.1, 0.4, 0.41, 0.9]), detectors).join('')).toBe('Here: [private-key]');
  });

  it('sends text while it comes, behind the window', () => {
    const pieces = Array.from({ length: 40 }, (_, index) => `sentence number ${index} of the answer. `);
    expect(streamThroughGuard(pieces, detectors).length).toBeGreaterThan(10);
  });
});
