/** Changes that nobody asked for: a plugin that was caught is not called any more, one that ended begins again, a bad version goes back. */
import type { PluginLog } from '@bifrost/sdk';
import type { PluginEntry } from '../plugin-entry.ts';
import type { LoadMaker } from './load-maker.ts';
import type { PluginSlot } from './managed-plugin.ts';
import type { ManagerView } from './manager-view.ts';
import type { PluginLoad } from './plugin-load.ts';
import type { SlotChanges } from './slot-changes.ts';

export interface UnaskedChangesOptions {
  readonly changes: SlotChanges;
  readonly maker: LoadMaker;
  readonly view: ManagerView;
  readonly log: PluginLog;
  /** One change after the other. */
  readonly enqueue: (change: () => Promise<void>) => Promise<void>;
  /** Told of the entry that serves again. */
  readonly onRolledBack: (entry: PluginEntry) => void;
}

export class UnaskedChanges {
  readonly #options: UnaskedChangesOptions;

  constructor(options: UnaskedChangesOptions) {
    this.#options = options;
  }

  quarantine(name: string, reason: string): Promise<void> {
    const { changes, maker, view, log, enqueue } = this.#options;
    const slot = changes.find(name);
    if (slot === undefined || !slot.load.isServing) return Promise.resolve();
    slot.load.fail({ message: `it is quarantined: ${reason}`, code: 'BF_PLUGIN_QUARANTINED' });
    log.error(`plugin ${name} is quarantined: ${reason}`, { plugin: name });
    view.changed();
    return enqueue(async () => {
      const before = changes.find(name);
      // By now another load may be in its place, or none.
      if (before?.load !== slot.load) return;
      const failed = maker.failedTwin(before);
      const slots = changes.slots.map((one) => (one === before ? failed : one));
      await changes.make({ slots, fresh: [], onFailure: 'abort' });
      // Threads that start do without it in any case.
    }).catch((error: unknown) => view.failed(name, error));
  }

  /** A load has blocked or ended a thread: it is not called again. One that only requests under way hold is named, no more. */
  blame(number: number, what: string): string | undefined {
    const { changes } = this.#options;
    const isIt = ({ load }: PluginSlot): boolean => load.load === number;
    const loading = changes.underWay.find(isIt);
    if (loading !== undefined) loading.load.fail({ message: `it ${what}`, code: 'BF_PLUGIN_QUARANTINED' });
    const slot = loading ?? [...changes.slots, ...changes.reserve].find(isIt);
    if (slot !== undefined && changes.slots.includes(slot)) void this.quarantine(slot.entry.name, `it ${what}`);
    if (slot !== undefined) return slot.entry.name;
    const gone = changes.nameOfGone(number);
    if (gone !== undefined && changes.find(gone) !== undefined)
      this.#options.view.remark(gone, `a version of it that does not serve any more ${what}`);
    return gone;
  }

  async restart(load: PluginLoad): Promise<void> {
    const { changes, maker, view } = this.#options;
    const before = changes.find(load.name);
    if (before?.load !== load) return;
    const slot = maker.again(before);
    const slots = changes.slots.map((one) => (one === before ? slot : one));
    await changes.make({ slots, fresh: [slot], onFailure: 'abort' });
    view.remark(load.name, undefined);
  }

  async rollBack(failed: PluginSlot, reason: string): Promise<void> {
    const { changes, view, log, onRolledBack } = this.#options;
    const { name } = failed.entry;
    const before = changes.reserve.find(({ entry }) => entry.name === name);
    if (changes.find(name)?.load !== failed.load || before === undefined) return;
    const slots = changes.slots.map((one) => (one.entry.name === name ? before : one));
    await changes.make({ slots, fresh: [], onFailure: 'abort' });
    log.warn(`plugin ${name} is rolled back to the version before: ${reason}`, { plugin: name });
    view.remark(name, `rolled back: ${reason}`);
    onRolledBack(before.entry);
  }
}
