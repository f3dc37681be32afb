import { describe, expect, it } from 'vitest';
import { compileGuest, hookGuest } from './__tests__/compile-guest.ts';
import { openGuest } from './__tests__/open-guest.ts';

const page = 65_536;
const request = { client: 'c', method: 'ping' } as const;

function failureOf(call: () => unknown): string {
  try {
    call();
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : 'no error';
  }
  return 'it did not fail';
}

describe('a call that traps', () => {
  it.each<[string, string, string]>([
    ['unreachable', 'unreachable();', 'trap: unreachable in guest/work <- guest/bifrost_call'],
    ['a load beyond the memory', 'return load<u32>(0x7fffffff);', 'trap: memory access out of bounds in guest/work'],
    [
      'a division by zero',
      'const zero = json.length - json.length; return 1 / zero;',
      'trap: divide by zero in guest/work',
    ],
    ['endless recursion', 'return work(json) + 1;', 'trap: stack overflow in '],
    [
      'an assertion',
      'assert(json.length == 0, "no input wanted"); return 0;',
      'it aborted: no input wanted (guest.ts:',
    ],
    [
      'a host function with a range beyond the memory',
      'importLog(1, 0x7fffffff, 100); return 0;',
      'a log line was given 100 bytes at 2147483647, beyond the memory',
    ],
  ])(
    'of %s is a failure with its name and place, and the next call gets a fresh instance',
    async (_what, body, words) => {
      const outside =
        '@external("bifrost", "log") declare function importLog(level: i32, text: usize, length: i32): void;';
      const source = hookGuest(
        `if (json.includes('"tool"')) { ${body} } return frame(0, '{"result":' + calls.toString() + '}');`,
        outside,
      );
      const guest = await openGuest(await compileGuest(source));
      expect(guest.call('preMCPHook', request)).toEqual({ result: 1 });
      expect(guest.call('preMCPHook', request)).toEqual({ result: 2 });
      const message = failureOf(() => guest.call('preMCPHook', { ...request, tool: 't' }));
      expect(message).toContain(`plugin guest: ${words}`);
      expect(message).toContain('the instance was replaced');
      expect(guest.call('preMCPHook', request)).toEqual({ result: 1 });
    },
  );

  it('fails the hook in the chain and leaves the value as it was', async () => {
    const guest = await openGuest(await compileGuest(hookGuest('unreachable();')));
    expect(await guest.open().preLLM({ model: 'm', isStream: false, fallbacks: [] })).toBeUndefined();
    expect(guest.lines.join('\n')).toContain('preLLMHook');
    expect(guest.lines.join('\n')).toContain('trap: unreachable');
  });
});

describe('what a guest answers', () => {
  it.each<[string, string, string]>([
    ['a pointer beyond its memory', 'return 0x7ffffff0;', 'returned a frame at 2147483632, beyond its memory'],
    ['what is not JSON', `return frame(0, '{oops');`, 'preMCPHook: its result is not JSON'],
    [
      'an unknown status',
      `return frame(7, '{}');`,
      'returned a frame of status 7; 0 (answer) and 1 (failure) are known',
    ],
    ['a failure', `return frame(1, 'no such tool');`, 'preMCPHook failed: no such tool'],
    [
      'JSON longer than its memory',
      `const at = frame(0, '{}'); store<u32>(at, 0x7fffffff, 4); return at;`,
      'bytes of JSON at',
    ],
    [
      'too many attachments',
      `const at = frame(0, '{}'); store<u32>(at, 1000, 8); return at;`,
      'returned 1000 attachments; at most 16 are read',
    ],
    [
      'an attachment longer than its memory',
      `const at = frame(0, '    {}'); store<u32>(at, 1, 8); store<u32>(at, 0x7fffffff, 12); store<u32>(at, 2, 4); return at;`,
      'returned attachment 0 of 2147483647 bytes',
    ],
  ])('%s is refused, and its instance goes on', async (_what, body, words) => {
    const source = hookGuest(`if (calls > 1) return frame(0, '{"result":' + calls.toString() + '}'); ${body}`);
    const guest = await openGuest(await compileGuest(source));
    expect(failureOf(() => guest.call('preMCPHook', request))).toContain(words);
    expect(guest.call('preMCPHook', request)).toEqual({ result: 2 });
  });
});

describe('the memory of a guest', () => {
  it('cannot grow beyond its cap', async () => {
    const source = hookGuest(`
      let grown = 0;
      while (memory.grow(1) >= 0) grown += 1;
      return frame(0, '{"result":' + memory.size().toString() + '}');
    `);
    const guest = await openGuest(await compileGuest(source), { maxMemoryBytes: 20 * page });
    expect(guest.call('preMCPHook', request)).toEqual({ result: 20 });
    expect(guest.loaded.memoryBytes?.()).toBe(20 * page);
  });

  it('is given back with its instance when a guest never frees, so it does not grow for ever', async () => {
    const source = hookGuest(`memory.grow(1); return frame(0, '{"result":' + calls.toString() + '}');`);
    const guest = await openGuest(await compileGuest(source), { maxMemoryBytes: 64 * page });
    const seen: number[] = [];
    for (let index = 0; index < 500; index += 1) {
      guest.call('preMCPHook', request);
      seen.push(guest.loaded.memoryBytes?.() ?? 0);
    }
    expect(Math.max(...seen)).toBeLessThanOrEqual(36 * page);
    // It did fall, more than once.
    expect(seen.filter((bytes, index) => bytes < (seen[index - 1] ?? 0)).length).toBeGreaterThan(5);
  });

  it('has room for an input much larger than the last one', async () => {
    const source = hookGuest(`return frame(0, '{"result":' + json.length.toString() + '}');`);
    const guest = await openGuest(await compileGuest(source));
    for (const length of [10, 100_000, 3_000_000, 10]) {
      const answer = guest.call('preMCPHook', { ...request, arguments: { text: 'é'.repeat(length) } });
      expect(answer).toHaveProperty('result');
      expect((answer as { result: number }).result).toBeGreaterThan(length);
    }
  });

  it('that is too small for an input fails that call alone', async () => {
    const source = hookGuest(`return frame(0, '{"result":1}');`).replace(
      'return heap.alloc(size);',
      'return size > 100000 ? 0 : heap.alloc(size);',
    );
    const guest = await openGuest(await compileGuest(source));
    const large = { ...request, arguments: { text: 'x'.repeat(200_000) } };
    expect(failureOf(() => guest.call('preMCPHook', large))).toMatch(
      /bifrost_alloc\(\d+\) returned 0: the plugin has no room/,
    );
    expect(guest.call('preMCPHook', request)).toEqual({ result: 1 });
  });
});

describe('init and cleanup of a guest', () => {
  const source = hookGuest(
    `if (json.includes('"tool"')) unreachable(); return frame(0, '{"result":' + calls.toString() + '}');`,
    '@external("bifrost", "shared_add") declare function sharedAdd(key: usize, length: i32, by: f64): f64;\n' +
      'function count(name: string): void { const key = String.UTF8.encode(name); sharedAdd(changetype<usize>(key), key.byteLength, 1); }',
  ).replace(
    'if (operation != 25 && operation != 19) return 0;',
    `
    if (operation == 1) { count('init'); return 0; }
    if (operation == 2) { count('cleanup'); return 0; }
    if (operation != 25 && operation != 19) return 0;`,
  );

  it('run once for each instance; an instance that trapped is not cleaned up', async () => {
    const guest = await openGuest(await compileGuest(source));
    guest.call('preMCPHook', request);
    expect(failureOf(() => guest.call('preMCPHook', { ...request, tool: 't' }))).toContain('unreachable');
    guest.call('preMCPHook', request);
    expect(guest.shared.add('init', 0)).toBe(2);
    guest.cleanup();
    expect(guest.shared.add('cleanup', 0)).toBe(1);
    guest.cleanup();
    expect(guest.shared.add('cleanup', 0)).toBe(1);
  });

  it('after unload nothing can be called', async () => {
    const guest = await openGuest(await compileGuest(source));
    guest.cleanup();
    await guest.loaded.unload?.();
    expect(failureOf(() => guest.call('preMCPHook', request))).toContain('it was called after it was unloaded');
    expect(guest.loaded.memoryBytes?.()).toBe(0);
  });

  it('refuse the plugin where init says that it failed', async () => {
    const refusing = source.replace("count('init'); return 0;", "return frame(1, 'no key in the config');");
    await expect(openGuest(await compileGuest(refusing))).rejects.toThrow('init failed: no key in the config');
  });
});

describe('the functions of the host', () => {
  it('give values, shared state and the clock, and say no outside of a request', async () => {
    const source = hookGuest(
      `
      const key = String.UTF8.encode('greeting'), value = String.UTF8.encode('"hé"'), bad = String.UTF8.encode('{');
      const out = new ArrayBuffer(64);
      const k = changetype<usize>(key), o = changetype<usize>(out);
      const absent = value_get(k, key.byteLength, o, 64);
      state_set(k, key.byteLength, changetype<usize>(value), value.byteLength);
      const state = state_get(k, key.byteLength, o, 64);
      const set = value_set(k, key.byteLength, changetype<usize>(value), value.byteLength);
      const refused = value_set(k, key.byteLength, changetype<usize>(bad), bad.byteLength);
      const short = value_get(k, key.byteLength, o, 2);
      const length = value_get(k, key.byteLength, o, 64);
      const sum = shared_add(k, key.byteLength, 2) + shared_add(k, key.byteLength, 3);
      shared_set(k, key.byteLength, changetype<usize>(value), value.byteLength);
      const shared = shared_get(k, key.byteLength, o, 64);
      random(o + 32, 8);
      return frame(0, '{"result":[' + absent.toString() + ',' + set.toString() + ',' + refused.toString() + ',' + short.toString()
        + ',' + length.toString() + ',' + sum.toString() + ',' + shared.toString() + ',' + String.UTF8.decodeUnsafe(o, length)
        + ',' + now().toString() + ',' + is_aborted().toString() + ',' + state.toString() + ']}');
      `,
      `
      @external("bifrost", "state_get") declare function state_get(key: usize, keyLength: i32, out: usize, capacity: i32): i32;
      @external("bifrost", "state_set") declare function state_set(key: usize, keyLength: i32, value: usize, length: i32): i32;
      @external("bifrost", "value_get") declare function value_get(key: usize, keyLength: i32, out: usize, capacity: i32): i32;
      @external("bifrost", "value_set") declare function value_set(key: usize, keyLength: i32, value: usize, length: i32): i32;
      @external("bifrost", "shared_add") declare function shared_add(key: usize, keyLength: i32, by: f64): f64;
      @external("bifrost", "shared_get") declare function shared_get(key: usize, keyLength: i32, out: usize, capacity: i32): i32;
      @external("bifrost", "shared_set") declare function shared_set(key: usize, keyLength: i32, value: usize, length: i32): i32;
      @external("bifrost", "now") declare function now(): f64;
      @external("bifrost", "random") declare function random(out: usize, length: i32): void;
      @external("bifrost", "is_aborted") declare function is_aborted(): i32;
      `,
    );
    const guest = await openGuest(await compileGuest(source));
    const before = Date.now();
    const { result } = guest.call('preMCPHook', request) as { result: unknown[] };
    expect(result.slice(0, 8)).toEqual([-1, 0, 1, 5, 5, 7, 5, 'hé']);
    expect(result[8]).toBeGreaterThanOrEqual(before);
    expect(result[9]).toBe(0);
    expect(result[10]).toBe(5);
    expect(guest.shared.get('greeting')).toBe('hé');
  });
});
