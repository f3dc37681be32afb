import type { LogLevel } from '@bifrost/core';
import type { JsonObject, PluginLog } from '@bifrost/sdk';
import { cutText } from './remote/log-line.ts';

/** A log whose lines carry the plugin's name. */
export function pluginLog(logger: PluginLog, name: string): PluginLog {
  const write = (level: LogLevel) => (message: string, fields?: JsonObject) => {
    logger[level](cutText(message), { ...fields, plugin: name });
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
