import type { MCPConnectRequest, MCPRequest } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { chainsOf, untyped } from './__tests__/chains-of.ts';

const request: MCPRequest = { client: 'files', method: 'tools/call', tool: 'read', arguments: { path: 'a' } };
const connect: MCPConnectRequest = {
  client: 'files',
  connectionType: 'http',
  connectionString: 'http://a',
  headers: { 'x-a': '1' },
};
const error = { statusCode: 403, message: 'no', origin: 'plugin' } as const;

describe('preMCPHook and postMCPHook', () => {
  it('change arguments and result; each plugin sees what the one before it made', async () => {
    const seen: unknown[] = [];
    const run = chainsOf([
      {
        name: 'a',
        preMCPHook: () => ({ arguments: { path: 'b' } }),
        postMCPHook: async (_, outcome) => (seen.push(outcome.result), { result: { last: true } }),
      },
      { name: 'b', preMCPHook: (_, call) => void seen.push(call.arguments), postMCPHook: () => ({ result: 2 }) },
    ]).open();
    expect(run.preMCP(request)).toEqual({ arguments: { path: 'b' } });
    expect(await run.postMCP({ request, result: 1, latencyMs: 1 })).toEqual({ result: { last: true } });
    expect(seen).toEqual([{ path: 'b' }, 2]);
  });

  it.each([
    ['a result', { result: [1] }],
    ['an error', { error }],
  ])('answer with %s; post hooks run for the plugins reached', (_what, decision) => {
    const calls: string[] = [];
    const run = chainsOf([
      { name: 'a', postMCPHook: () => void calls.push('a') },
      { name: 'b', preMCPHook: () => decision, postMCPHook: () => void calls.push('b') },
      { name: 'c', preMCPHook: () => void calls.push('c'), postMCPHook: () => void calls.push('c') },
    ]).open();
    expect(run.preMCP(request)).toEqual(decision);
    void run.postMCP({ request, result: 1, latencyMs: 1 });
    expect(calls).toEqual(['b', 'a']);
  });

  it('recover an error, and let an error win over a result', () => {
    const after = (result: object, outcome: object): unknown =>
      chainsOf([{ name: 'p', postMCPHook: () => result }])
        .open()
        .postMCP({ request, latencyMs: 1, ...outcome });
    expect(after({ result: 1 }, { error })).toEqual({ result: 1 });
    expect(after({ result: 1, error }, { result: 2 })).toEqual({ error });
    expect(after({ result: 1, error: {} }, { error })).toEqual({ result: 1 });
  });

  it('keep the value where a plugin returns garbage, and deny where it is a guard', () => {
    for (const garbage of [{ arguments: 'x' }, { result: 1, error }, { nonsense: 1 }, { result: () => 1 }, 7]) {
      const { open, lines } = chainsOf([{ name: 'bad', preMCPHook: untyped<'preMCPHook'>(garbage) }]);
      expect(open().preMCP(request)).toBeUndefined();
      expect(lines).toHaveLength(1);
    }
    const guard = chainsOf([{ name: 'g', guard: true, postMCPHook: untyped<'postMCPHook'>(1) }]).open();
    expect(guard.postMCP({ request, result: 1, latencyMs: 1 })).toMatchObject({
      error: { code: 'BF_PLUGIN_HOOK_FAILED' },
    });
  });
});

describe('preMCPConnectionHook and postMCPConnectionHook', () => {
  it('change the transport piece by piece', () => {
    const seen: unknown[] = [];
    const run = chainsOf([
      { name: 'a', preMCPConnectionHook: () => ({ connectionString: 'http://b', headers: { 'X-B': '2' } }) },
      {
        name: 'b',
        preMCPConnectionHook: (_, shown) => (seen.push(shown), { headers: { 'x-a': null }, stdioArgs: ['-v'] }),
      },
    ]).open();
    expect(run.preMCPConnection(connect)).toEqual({
      connectionString: 'http://b',
      headers: { 'x-b': '2', 'x-a': null },
      stdioArgs: ['-v'],
    });
    expect(seen).toEqual([{ ...connect, connectionString: 'http://b', headers: { 'x-a': '1', 'x-b': '2' } }]);
  });

  it('keep a connection from being made, and hear of what became of one', async () => {
    const calls: string[] = [];
    const run = chainsOf([
      { name: 'a', postMCPConnectionHook: async (_, outcome) => void calls.push(`a ${outcome.client}`) },
      { name: 'b', preMCPConnectionHook: () => ({ error }), postMCPConnectionHook: () => void calls.push('b') },
      { name: 'c', postMCPConnectionHook: () => void calls.push('c') },
    ]).open();
    expect(run.preMCPConnection(connect)).toEqual({ error });
    expect(await run.postMCPConnection({ client: 'files' })).toBeUndefined();
    expect(calls).toEqual(['b', 'a files']);
    const guard = chainsOf([
      {
        name: 'g',
        guard: true,
        postMCPConnectionHook() {
          throw new Error('x');
        },
      },
    ]).open();
    expect(guard.postMCPConnection({ client: 'files' })).toMatchObject({ code: 'BF_PLUGIN_HOOK_FAILED' });
  });
});
