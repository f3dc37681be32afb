import { join } from 'node:path';
import type { Environment } from '@bifrost/framework/config';
import { homeDirectory } from './home-directory.ts';

/** Where the program keeps its files unless told otherwise: `%APPDATA%\bifrost` on Windows, else `~/.config/bifrost`. */
export function defaultAppDirectory(environment: Environment, platform: NodeJS.Platform = process.platform): string {
  const appData = environment['APPDATA'];
  if (platform === 'win32' && appData) return join(appData, 'bifrost');
  return join(environment['HOME'] || (homeDirectory() ?? '/'), '.config', 'bifrost');
}
