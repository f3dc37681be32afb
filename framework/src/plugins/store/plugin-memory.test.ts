import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FilePluginMemory } from './plugin-memory.ts';

let folder = '';
const warnings: string[] = [];
const open = (name = 'kinds.json'): FilePluginMemory =>
  new FilePluginMemory(join(folder, name), { warn: (line) => warnings.push(line) });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-kinds-'));
  warnings.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const guard = { isGuard: true, hooks: { preLLMHook: { reads: 'messages' }, streamEventHook: {} } } as const;

describe('FilePluginMemory', () => {
  it('knows after a restart what was noted, and nothing of what was forgotten', async () => {
    const memory = open('app/kinds.json');
    memory.note('g', guard);
    memory.note('a', { isGuard: false, hooks: { inject: {} } });
    memory.note('gone', guard);
    memory.forget('gone');
    await memory.written();
    const again = open('app/kinds.json');
    expect(again.recall('g')).toEqual({ isGuard: true, hooks: { preLLMHook: {}, streamEventHook: {} } });
    expect(again.recall('a')).toEqual({ isGuard: false, hooks: { inject: {} } });
    expect(again.recall('gone')).toBeUndefined();
    expect(readdirSync(join(folder, 'app'))).toEqual(['kinds.json']);
    expect(warnings).toEqual([]);
  });

  it('forgets for good what was removed later, and is readable by its owner alone', async () => {
    const memory = open();
    memory.note('g', guard);
    await memory.written();
    expect(statSync(join(folder, 'kinds.json')).mode & 0o777).toBe(0o600);
    memory.forget('nobody');
    memory.forget('g');
    await memory.written();
    expect(open().recall('g')).toBeUndefined();
  });

  it('is not written again for what it knows', async () => {
    const memory = open();
    memory.note('g', guard);
    await memory.written();
    rmSync(join(folder, 'kinds.json'));
    memory.note('g', { ...guard });
    await memory.written();
    expect(readdirSync(folder)).toEqual([]);
    memory.note('g', { ...guard, isGuard: false });
    await memory.written();
    expect(JSON.parse(readFileSync(join(folder, 'kinds.json'), 'utf8'))).toEqual({
      plugins: { g: { guard: false, hooks: ['preLLMHook', 'streamEventHook'] } },
    });
  });

  it.each(['not JSON', '[]', '{"plugins":7}'])('says that it cannot read %j, and goes on with nothing', (text) => {
    writeFileSync(join(folder, 'kinds.json'), text);
    expect(open().recall('g')).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('which plugins are guards is not known from earlier starts')]);
  });

  it('leaves out what it does not understand', () => {
    const plugins = { g: { guard: true, hooks: ['preLLMHook', 'laterHook'] }, x: { guard: 'yes', hooks: [] }, y: 1 };
    writeFileSync(join(folder, 'kinds.json'), JSON.stringify({ plugins }));
    const memory = open();
    expect(memory.recall('g')).toEqual({ isGuard: true, hooks: { preLLMHook: {} } });
    expect([memory.recall('x'), memory.recall('y')]).toEqual([undefined, undefined]);
  });

  it('says what it cannot write, and knows it all the same', async () => {
    mkdirSync(join(folder, 'kinds.json'));
    const memory = open();
    warnings.length = 0;
    memory.note('g', guard);
    await memory.written();
    const path = join(folder, 'kinds.json');
    const cause = `which plugins are guards will not be known at the next start: ${path}: EISDIR`;
    expect(warnings).toEqual([expect.stringContaining(cause)]);
    expect(memory.recall('g')).toBe(memory.recall('g'));
    expect(memory.recall('g')?.isGuard).toBe(true);
  });
});
