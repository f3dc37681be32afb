/** Makes a plugin that runs elsewhere a plugin of this thread: an instance like an inline one's, whose hooks go over a channel. */
import { LocalSharedState } from '@bifrost/core';
import { hookNames } from '@bifrost/sdk';
import { operatorSettings } from '../load-plugin.ts';
import type { ConnectRemote } from '../member-loader.ts';
import { overrideHooks } from '../override-hooks.ts';
import { connectRemotePlugin } from './connect-remote-plugin.ts';
import { LostChannel } from './lost-channel.ts';

/** For `PluginHostOptions.connectRemote`, for channels of all three isolations. */
export const connectRemote: ConnectRemote = ({ entry, description, channel }, { logger, getModelInfo }, events) => {
  const { name } = entry;
  const lost = new LostChannel(channel.kind, (reason) =>
    events.onDisabled(`${reason}; load it again to have it called again`),
  );
  const connected = connectRemotePlugin(description, channel, {
    name,
    onLost: (reason) => lost.tell(reason),
    ...(getModelInfo === undefined ? {} : { getModelInfo }),
  });
  const { actualName, version } = description;
  const isGuard = description.isGuard || entry.guard === true;
  return Promise.resolve({
    instance: {
      name,
      isGuard,
      hooks: overrideHooks(connected.hooks, {}, entry),
      ...operatorSettings(entry),
      onRequestEnd: connected.onRequestEnd,
      // Config and shared state are used where the plugin runs.
      config: {},
      self: {},
      shared: new LocalSharedState(name),
      placement: entry.placement ?? 'post_builtin',
      order: entry.order ?? 0,
      log: (level, message, fields) => logger[level](message, fields),
      onDisabled: (reason) => events.onDisabled(reason),
    },
    hooks: hookNames.filter((hook) => description.hooks[hook] !== undefined),
    ...(actualName === undefined ? {} : { actualName }),
    ...(version === undefined ? {} : { version }),
    cleanup: () => {
      lost.end();
      connected.close();
      return Promise.resolve();
    },
  });
};
