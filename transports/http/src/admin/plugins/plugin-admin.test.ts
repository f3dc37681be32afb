import type { JsonObject } from '@bifrost/sdk';
import { MemoryPluginStore } from '@bifrost/framework/admin';
import type { ManagedPlugin, PluginManager } from '@bifrost/framework/plugin-manager';
import { describe, expect, it } from 'vitest';
import { ConfigViews } from './config-views.ts';
import { nameOf } from './entry-patch.ts';
import { PluginAdmin } from './plugin-admin.ts';

const log = { warn: () => undefined, error: () => undefined };

/** Over a manager in which a plugin is there once `load` has resolved. */
function adminOver(load: Promise<void>): { readonly admin: PluginAdmin; readonly store: MemoryPluginStore } {
  const store = new MemoryPluginStore();
  const manager = {
    entries: [],
    onRolledBack: () => undefined,
    async add({ name }: JsonObject, { keep }: { readonly keep: () => Promise<void> }): Promise<ManagedPlugin> {
      await load;
      await keep();
      return { name } as unknown as ManagedPlugin;
    },
  };
  const admin = new PluginAdmin({
    // What adding needs of it, and no more.
    manager: manager as unknown as PluginManager,
    store,
    fileEntries: [],
    entries: [],
    stored: [],
    parseEntry: (file) => ({ entry: { name: nameOf(file), enabled: true } }),
    views: new ConfigViews({ ask: () => Promise.resolve(undefined), schemaOf: () => undefined, log }),
    log,
  });
  return { admin, store };
}

describe('changes while another process takes over', () => {
  it('are refused until it is clear that this one goes on; one that is under way is stored before', async () => {
    const loading = Promise.withResolvers<void>();
    const { admin, store } = adminOver(loading.promise);
    const first = admin.create({ name: 'first' });
    let isHeld = false;
    const held = admin.hold(true).then(() => (isHeld = true));
    const refused = { code: 'BF_ADMIN_HANDING_OVER', statusCode: 503 };
    await expect(admin.create({ name: 'second' })).rejects.toMatchObject(refused);
    await expect(admin.remove('first')).rejects.toMatchObject(refused);
    expect(isHeld).toBe(false);
    loading.resolve();
    await Promise.all([first, held]);
    expect(await store.read()).toEqual([{ name: 'first', file: { name: 'first' } }]);
    await admin.hold(false);
    await admin.create({ name: 'second' });
    expect((await store.read()).map(({ name }) => name)).toEqual(['first', 'second']);
  });
});
