import type { PluginFigures } from '@bifrost/core';

/** Tells which plugins were called between two looks at their figures. */
export class CallSuspects {
  #before = new Map<string, number>();

  /** Names of the plugins with more calls than at the last look; the figures of one plugin may come in several parts. */
  next(figures: readonly PluginFigures[]): ReadonlySet<string> {
    const now = new Map<string, number>();
    for (const { plugin, hooks } of figures) {
      let calls = now.get(plugin) ?? 0;
      for (const hook of Object.values(hooks)) calls += hook.calls;
      now.set(plugin, calls);
    }
    const called = [...now].filter(([plugin, calls]) => calls !== (this.#before.get(plugin) ?? 0));
    this.#before = now;
    return new Set(called.map(([plugin]) => plugin));
  }
}
