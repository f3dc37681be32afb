import { describe, expect, it, vi } from 'vitest';
import type { PluginEntry } from '../plugin-entry.ts';
import type { PluginReport } from '../plugin-plan.ts';
import { ManagerView } from './manager-view.ts';
import type { ManagerViewOptions } from './manager-view.ts';
import type { PluginSlot } from './managed-plugin.ts';
import { PluginLoad } from './plugin-load.ts';

/** What a thread leaves while the first hook of the plugin in slot 0 runs: `runningMark` of core. */
const firstMark = (1 << 5) | 1;
const none = { inits: 0, cleanups: 0, live: 0 };

function slotOf(entry: PluginEntry): PluginSlot {
  return { entry, load: new PluginLoad(entry, new SharedArrayBuffer(8)) };
}

function reportOf(counts: PluginReport['counts'], rest: Partial<PluginReport> = {}): PluginReport {
  const empty = { statuses: [], descriptions: {}, figures: [], comparisons: [], slots: {}, draining: {} };
  return { generation: 1, ...empty, staleModules: 0, ...rest, counts };
}

/** A view of threads that say nothing by themselves. */
function viewOf(slots: readonly PluginSlot[], blame: ManagerViewOptions['blame'] = () => undefined) {
  const lines: string[] = [];
  const log = { debug: vi.fn(), info: (line: string) => void lines.push(line), warn: vi.fn(), error: vi.fn() };
  const remotes = { counts: none, release: vi.fn(), releaseAll: vi.fn() };
  const parts = { group: {}, log, slots: () => slots, remotes, maxStaleModules: 10, blame };
  // What is not called here is not there.
  return { lines, view: new ManagerView(parts as unknown as ManagerViewOptions) };
}

describe('what is known of the threads', () => {
  it('adds up their instances, and keeps what threads counted that have ended', () => {
    const { view } = viewOf([]);
    view.onJoined({ thread: 1, report: reportOf({ inits: 3, cleanups: 1, live: 2 }) });
    view.onJoined({ thread: 2, report: reportOf({ inits: 2, cleanups: 0, live: 2 }) });
    expect(view.counts).toEqual({ inits: 5, cleanups: 1, live: 4 });
    view.onEnded(1, reportOf({ inits: 3, cleanups: 3, live: 0 }));
    expect(view.counts).toEqual({ inits: 5, cleanups: 3, live: 2 });
    // One that ended without a last word has counted what it said last.
    view.onEnded(2);
    expect(view.counts).toEqual({ inits: 5, cleanups: 3, live: 0 });
  });

  it('says who stood on a thread that was blocked: by the mark of what ran, also of an older generation', () => {
    const blamed: unknown[] = [];
    const { view } = viewOf([], (load, what) => (blamed.push([load, what]), 'p'));
    view.onJoined({ thread: 1, report: reportOf(none, { slots: { 0: 11 } }) });
    view.onJoined({ thread: 1, report: reportOf(none, { slots: { 1: 12 } }) });
    const fault = { thread: 1, what: 'blocked serving thread 1', running: 0, loading: 0 };
    expect(view.onFault({ ...fault, running: firstMark })).toBe('p');
    expect(view.onFault({ ...fault, loading: 12 })).toBe('p');
    expect(view.onFault(fault)).toBeUndefined();
    expect(blamed).toEqual([
      [11, fault.what],
      [12, fault.what],
    ]);
  });
});

describe('a plugin that no thread has yet', () => {
  it('is shown by its entry', () => {
    const wanted: PluginEntry = { name: 'a', path: './a.mjs', enabled: true, required: true, isolation: 'worker' };
    const off: PluginEntry = { name: 'b', enabled: false, placement: 'pre_builtin', order: 3 };
    const { view } = viewOf([slotOf(wanted), slotOf(off)]);
    const [first, second] = view.list();
    const place = { placement: 'post_builtin', order: 0 };
    expect(first).toMatchObject({ name: 'a', state: 'loading', isRequired: true, path: './a.mjs', ...place });
    expect(first).toMatchObject({ isolation: 'worker', instances: { serving: 0, draining: 0 } });
    expect(second).toMatchObject({
      name: 'b',
      state: 'disabled',
      isRequired: false,
      placement: 'pre_builtin',
      order: 3,
    });
    expect(second).not.toHaveProperty('path');
  });

  it('is told of in the log when its state changes, and not again while it stays', () => {
    const { view, lines } = viewOf([slotOf({ name: 'a', enabled: true })]);
    view.changed();
    view.changed();
    expect(lines).toEqual(['plugin status: a - loading']);
  });
});
