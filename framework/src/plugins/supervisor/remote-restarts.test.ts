import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PluginLoad } from './plugin-load.ts';
import { RemoteRestarts } from './remote-restarts.ts';
import type { RestartLimits } from './remote-restarts.ts';

const load = { name: 'p' } as PluginLoad;
const exit = { reason: 'exited with code 3' };

/** With a restart that does what `restart` does, and a list of what was said. */
function restartsWith(
  restart: () => Promise<void>,
  limits: RestartLimits = { maxExits: 3 },
): { readonly restarts: RemoteRestarts; readonly said: string[] } {
  const said: string[] = [];
  const restarts = new RemoteRestarts({
    limits,
    restart,
    say: (_name, remark) => void said.push(remark),
    quarantine: (_name, reason) => void said.push(`quarantine: ${reason}`),
  });
  return { restarts, said };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a plugin that ends by itself', () => {
  it('is said to be started again, later and then now', async () => {
    const { restarts, said } = restartsWith(() => Promise.resolve());
    restarts.exited(load, exit);
    expect(said).toEqual(['it ended by itself (exited with code 3) and is started again in 100 ms']);
    await vi.advanceTimersByTimeAsync(100);
    expect(said.slice(1)).toEqual(['it ended by itself (exited with code 3) and is started again']);
  });

  it('goes into quarantine after too many ends, failed starts counted', async () => {
    const { restarts, said } = restartsWith(() => Promise.reject(new Error('no module')));
    restarts.exited(load, { ...exit, hook: 'preLLMHook' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(said.at(-1)).toBe(
      'quarantine: it ended 3 times within 60 s, last: it could not be started again: Error: no module',
    );
  });

  it('waits twice as long each time, up to a bound, and is loaded anew each time', async () => {
    const restart = vi.fn<() => Promise<void>>(() => Promise.resolve());
    const { restarts, said } = restartsWith(restart, { maxExits: 10, maxDelayMs: 300 });
    for (let end = 0; end < 4; end += 1) {
      restarts.exited(load, exit);
      await vi.advanceTimersByTimeAsync(300);
    }
    const pauses = said.flatMap((line) => / in (\d+) ms$/.exec(line)?.[1] ?? []);
    expect(pauses).toEqual(['100', '200', '300', '300']);
    expect(restart).toHaveBeenCalledTimes(4);
  });

  it('is not blamed for ends that are long ago', async () => {
    const { restarts, said } = restartsWith(() => Promise.resolve());
    for (let end = 0; end < 6; end += 1) {
      restarts.exited(load, exit);
      await vi.advanceTimersByTimeAsync(30_000);
    }
    expect(said.filter((line) => line.startsWith('quarantine'))).toEqual([]);
  });

  it('is left alone once somebody has loaded, replaced or removed it', async () => {
    const restart = vi.fn<() => Promise<void>>(() => Promise.resolve());
    const { restarts } = restartsWith(restart);
    restarts.exited(load, exit);
    restarts.forget('p');
    await vi.advanceTimersByTimeAsync(1000);
    expect(restart).not.toHaveBeenCalled();
  });
});
