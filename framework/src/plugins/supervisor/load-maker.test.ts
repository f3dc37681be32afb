import { describe, expect, it, vi } from 'vitest';
import type { PluginEntry } from '../plugin-entry.ts';
import { LoadMaker } from './load-maker.ts';

const entry: PluginEntry = { name: 'p', path: './p.mjs', enabled: true };
const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };

/** With the memory of an earlier start, at which `p` was a guard. */
function maker() {
  const guard = { isGuard: true, hooks: { preRequestHook: {} } };
  const memory = { recall: (name: string) => (name === 'p' ? guard : undefined), remember: vi.fn(), forget: vi.fn() };
  return new LoadMaker({ log, memory: memory as never, onExit: vi.fn() });
}

describe('a plugin that is begun again', () => {
  it('is what it was: of a new number, with what an earlier start knew of it', () => {
    const loads = maker();
    const first = loads.fresh(entry);
    const again = loads.again(first);
    expect(again).not.toHaveProperty('trial');
    expect(again.load.load).toBeGreaterThan(first.load.load);
    again.load.fail({ message: 'no' });
    expect(again.load.known?.isGuard).toBe(true);
  });

  it('stays a candidate where it was one, of its own name and share', () => {
    const loads = maker();
    const trial = { kind: 'canary', of: 'p', share: 0.1 } as const;
    const candidate = { ...loads.candidate(entry, 'p@candidate'), trial };
    const again = loads.again(candidate);
    expect(again).toMatchObject({ entry: { name: 'p@candidate' }, trial });
    expect(again.load.load).toBeGreaterThan(candidate.load.load);
  });
});
