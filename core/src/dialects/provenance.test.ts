import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packToolCallId, tagOpaque, unpackToolCallId, untagOpaque } from './provenance.ts';

describe('provenance', () => {
  it('carries any opaque value through a foreign dialect and back', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('signature' as const, 'encrypted' as const), (value, kind) => {
        const tagged = tagOpaque({ dialect: 'anthropic-messages', kind, value });
        expect(tagged).toMatch(/^[A-Za-z0-9+/]+=*$/);
        expect(untagOpaque(tagged)).toEqual({ dialect: 'anthropic-messages', kind, value });
      }),
    );
  });

  it('leaves values alone that it did not make', () => {
    expect(untagOpaque('EqQBCkYIBxgCKkD')).toBeUndefined();
    expect(untagOpaque('eyJiaWZyb3N0IjBROKEN')).toBeUndefined();
  });

  it('packs a signature into a tool-call id within the strictest charset', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-zA-Z0-9_-]{1,40}$/),
        fc.option(fc.string(), { nil: undefined }),
        (id, signature) => {
          fc.pre(!id.includes('__bfsig_'));
          const packed = packToolCallId(id, signature);
          expect(packed).toMatch(/^[a-zA-Z0-9_-]+$/);
          expect(unpackToolCallId(packed)).toEqual(signature === undefined ? { id } : { id, signature });
        },
      ),
    );
  });
});
