/** Another version of a plugin on trial beside it: put there, put in the plugin's place, taken away. Each is one change of all threads. */
import type { ShadowComparison } from '@bifrost/core';
import { assertEntry } from '../check-entry.ts';
import type { PluginEntry } from '../plugin-entry.ts';
import { isSameLoad, overLivingOf } from './is-same-load.ts';
import type { LoadMaker } from './load-maker.ts';
import type { ManagedPlugin, PluginSlot } from './managed-plugin.ts';
import type { ManagerView } from './manager-view.ts';
import { candidateName } from './plugin-manager-options.ts';
import type { CandidateTrial, ChangeOptions } from './plugin-manager-options.ts';
import type { SlotChanges } from './slot-changes.ts';

export interface CandidateChangesOptions {
  readonly changes: SlotChanges;
  readonly maker: LoadMaker;
  readonly view: ManagerView;
}

export class CandidateChanges {
  readonly #changes: SlotChanges;
  readonly #maker: LoadMaker;
  readonly #view: ManagerView;

  constructor({ changes, maker, view }: CandidateChangesOptions) {
    this.#changes = changes;
    this.#maker = maker;
    this.#view = view;
  }

  async stage(entry: PluginEntry, trial: CandidateTrial): Promise<ManagedPlugin> {
    const { name } = entry;
    this.#changes.slotOf(name);
    assertEntry(entry);
    const before = this.#changes.find(candidateName(name));
    const own = { ...entry, name: candidateName(name) };
    const isKept = before !== undefined && before.load.isServing && isSameLoad(before.entry, own);
    const made = isKept ? before : this.#maker.candidate(entry, own.name);
    const slot: PluginSlot = { entry: own, load: made.load, trial: { ...trial, of: name } };
    const slots = [...this.#changes.slots.filter((one) => one !== before), slot];
    await this.#changes.makeFor(own.name, { slots, fresh: isKept ? [] : [slot], onFailure: 'abort' });
    return this.#view.describe(slot);
  }

  async promote(name: string, { keep }: ChangeOptions): Promise<ManagedPlugin> {
    const before = this.#changes.slotOf(name);
    const candidate = this.#changes.slotOf(candidateName(name));
    const slot = this.#maker.fresh({ ...candidate.entry, ...overLivingOf(before.entry), name });
    const slots = this.#changes.slots.filter((one) => one !== candidate).map((one) => (one === before ? slot : one));
    await this.#changes.makeFor(name, { slots, fresh: [slot], onFailure: 'abort', replaces: before, keep });
    this.#view.forget(candidateName(name));
    return this.#view.describe(slot);
  }

  async comparisons(): Promise<readonly ShadowComparison[]> {
    const { comparisons } = await this.#view.totals();
    return comparisons.filter(({ candidate }) => this.#changes.find(candidate)?.trial?.kind === 'shadow');
  }

  async abort(name: string): Promise<void> {
    const candidate = this.#changes.slotOf(candidateName(name));
    const slots = this.#changes.slots.filter((one) => one !== candidate);
    await this.#changes.make({ slots, fresh: [], onFailure: 'abort' });
    this.#view.forget(candidateName(name));
  }
}
