import { basename } from 'node:path';
import { realmEntry } from '@bifrost/framework/realms';

/** The command line of plugins (cli/), a program of its own that this one brings along. */
export const workshop = realmEntry('workshop', new URL('../../../../cli/src/main.ts', import.meta.url));

/** True where it is asked for: `bifrost-http plugin ...`, or a link to this program that is named `bifrost`. */
export function isWorkshopCall([first]: readonly string[], argv0: string): boolean {
  return first === 'plugin' || first === 'plugins' || /^bifrost(?:\.exe)?$/.test(basename(argv0));
}
