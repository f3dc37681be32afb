/** Changes to single plugins, and to their order, that somebody asked for. Each is one change of all threads. */
import { GatewayError } from '@bifrost/sdk';
import { assertEntry } from '../check-entry.ts';
import type { PluginEntry } from '../plugin-entry.ts';
import type { LoadMaker } from './load-maker.ts';
import type { ManagedPlugin } from './managed-plugin.ts';
import type { ManagerView } from './manager-view.ts';
import type { ChangeOptions, PluginPlace } from './plugin-manager-options.ts';
import type { RemoteRestarts } from './remote-restarts.ts';
import type { SlotChanges } from './slot-changes.ts';

export interface AskedChangesOptions {
  readonly changes: SlotChanges;
  readonly maker: LoadMaker;
  readonly view: ManagerView;
  readonly restarts: RemoteRestarts;
}

export interface ReplaceOptions extends ChangeOptions {
  /** Whether new instances are needed for what is now `before`. @default they are */
  readonly isFresh?: (before: PluginEntry) => boolean;
}

export class AskedChanges {
  readonly #changes: SlotChanges;
  readonly #maker: LoadMaker;
  readonly #view: ManagerView;
  readonly #restarts: RemoteRestarts;

  constructor({ changes, maker, view, restarts }: AskedChangesOptions) {
    this.#changes = changes;
    this.#maker = maker;
    this.#view = view;
    this.#restarts = restarts;
  }

  async add(entry: PluginEntry, { keep }: ChangeOptions): Promise<ManagedPlugin> {
    const { name } = entry;
    assertEntry(entry);
    if (this.#changes.find(name) !== undefined)
      throw new GatewayError(`there is a plugin "${name}" already; update it, or give another name`, {
        code: 'BF_PLUGIN_EXISTS',
        statusCode: 409,
      });
    const slot = this.#maker.fresh(entry);
    const slots = [...this.#changes.slots, slot];
    await this.#changes.makeFor(name, { slots, fresh: [slot], onFailure: 'abort', keep });
    return this.#view.describe(slot);
  }

  async replace(entry: PluginEntry, { keep, isFresh }: ReplaceOptions = {}): Promise<ManagedPlugin> {
    const { name, enabled } = entry;
    const before = this.#changes.slotOf(name);
    assertEntry(entry);
    const isNew = isFresh?.(before.entry) !== false || (!before.load.isServing && enabled);
    const slot = isNew ? this.#maker.fresh(entry) : { entry, load: before.load };
    await this.#changes.makeFor(name, {
      slots: this.#changes.slots.map((one) => (one === before ? slot : one)),
      fresh: isNew ? [slot] : [],
      onFailure: 'abort',
      keep,
      ...(isNew ? { replaces: before } : {}),
    });
    if (isNew) this.#restarts.forget(name);
    return this.#view.describe(slot);
  }

  async remove(name: string, { keep }: ChangeOptions): Promise<void> {
    const gone = this.#changes.slotOf(name);
    const slots = this.#changes.slots.filter((slot) => slot !== gone && slot.trial?.of !== name);
    await this.#changes.make({ slots, fresh: [], onFailure: 'abort', keep });
    this.#view.forget(name);
    this.#restarts.forget(name);
  }

  async setSequence(places: readonly PluginPlace[], { keep }: ChangeOptions): Promise<readonly ManagedPlugin[]> {
    for (const { name } of places) this.#changes.slotOf(name);
    const slots = this.#changes.slots.map((slot) => {
      const place = places.find(({ name }) => name === slot.entry.name);
      const entry = { ...slot.entry, ...place };
      // Another entry may be wrong in itself: that stands in its status, and in nobody's way.
      if (place !== undefined && slot.trial === undefined) assertEntry(entry);
      return { ...slot, entry };
    });
    await this.#changes.make({ slots, fresh: [], onFailure: 'abort', keep });
    return this.#view.list();
  }
}
