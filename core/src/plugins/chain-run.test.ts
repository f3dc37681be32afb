import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HookHandlers, LLMRequest, PreRequestResult } from '@bifrost/sdk';
import { chainsOf, streamed } from './__tests__/chains-of.ts';

const request: LLMRequest = { model: 'start', isStream: false, fallbacks: [] };

/** What one plugin of a random chain does with the routing. */
const behaviour = fc.oneof(
  fc.record({
    kind: fc.constant('sets' as const),
    model: fc.string({ minLength: 1, maxLength: 3 }),
    isAsync: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('adds' as const),
    model: fc.string({ minLength: 1, maxLength: 3 }),
    isAsync: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('throws' as const), isAsync: fc.boolean() }),
  fc.record({
    kind: fc.constant('garbage' as const),
    value: fc.anything().filter((value) => value !== undefined),
    isAsync: fc.boolean(),
  }),
);
type Behaviour = typeof behaviour extends fc.Arbitrary<infer Value> ? Value : never;

function hookOf(does: Behaviour): HookHandlers['preRequestHook'] {
  const act = (shown: LLMRequest): PreRequestResult => {
    if (does.kind === 'throws') throw new Error('broken');
    if (does.kind === 'sets') return { model: does.model };
    if (does.kind === 'adds') return { fallbacks: [...shown.fallbacks, does.model] };
    // A value that no key of makes a right result.
    return { broken: does.value } as unknown as PreRequestResult;
  };
  return does.isAsync ? async (_context, shown) => act(shown) : (_context, shown) => act(shown);
}

describe('a chain of well- and ill-behaved plugins', () => {
  it('ends with what the well-behaved ones alone would have made, and counts every failure', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(behaviour, { maxLength: 8 }), async (behaviours) => {
        const { open, chains } = chainsOf([
          { name: 'idle', inject: () => undefined },
          ...behaviours.map((does, index) => ({ name: `p${index}`, preRequestHook: hookOf(does) })),
        ]);
        const outcome = await open().preRequest(request);
        let model: string | undefined;
        let fallbacks: readonly string[] | undefined;
        for (const does of behaviours) {
          if (does.kind === 'sets') model = does.model;
          if (does.kind === 'adds') fallbacks = [...(fallbacks ?? []), does.model];
        }
        expect(outcome?.model).toBe(model);
        expect(outcome?.fallbacks).toEqual(fallbacks);
        const failures = chains.figures().map(({ hooks }) => hooks.preRequestHook?.errors ?? 0);
        expect(failures.reduce((sum, count) => sum + count, 0)).toBe(
          behaviours.filter(({ kind }) => kind === 'throws' || kind === 'garbage').length,
        );
      }),
      { numRuns: 150 },
    );
  });

  it('survives whatever a hook returns, in every phase', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withNullPrototype: true,
          withSparseArray: true,
          withTypedArray: true,
        }),
        async (value) => {
          const hook = (() => value) as never;
          const run = chainsOf(
            [
              {
                name: 'wild',
                httpTransportPreHook: hook,
                preRequestHook: hook,
                preLLMHook: hook,
                postLLMHook: hook,
                streamEventHook: hook,
                httpTransportResponseHeadersHook: hook,
                httpTransportStreamChunkHook: hook,
                httpTransportPostHook: hook,
              },
            ],
            { areInputsFrozen: false },
          ).open();
          await run.httpPre({ method: 'GET', path: '/', query: {}, headers: {} });
          await run.preRequest(request);
          await run.preLLM(request);
          await run.postLLM({ request, statusCode: 200, latencyMs: 1 });
          expect(Array.isArray(await streamed(run)({ type: 'text-start', part: '0' }))).toBe(true);
          await run.responseHeaders({ statusCode: 200, headers: {} });
          await run.streamChunk({ data: 'x', index: 0 });
          await run.httpPost({ statusCode: 200, headers: {} });
        },
      ),
      { numRuns: 300 },
    );
  });
});
