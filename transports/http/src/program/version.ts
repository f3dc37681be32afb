import { readBuildStamp } from '@bifrost/framework/realms';
import manifest from '../../package.json' with { type: 'json' };

/** The version of the program: what the build was told (`VERSION=`), else its package's. */
export function readVersion(): string {
  return readBuildStamp()?.version ?? manifest.version;
}
