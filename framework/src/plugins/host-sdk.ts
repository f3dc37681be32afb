/**
 * `@bifrost/sdk` as plugins get it: the host's own copy, also where the host is one file and no package of that name is on any disk.
 * A module is made of the exports that the host has loaded; they pass through a property of the realm's global object, as text is
 * all that a loader may give.
 */
import * as sdk from '@bifrost/sdk';

const key = 'bifrost.host-sdk';

/** URL of the module in every realm. */
export const hostSdkUrl = 'bifrost-host:sdk';

/** The text of that module. */
export function hostSdkSource(): string {
  const symbol = Symbol.for(key);
  if (!(symbol in globalThis)) Object.defineProperty(globalThis, symbol, { value: sdk });
  const names = Object.keys(sdk).join(', ');
  return `export const { ${names} } = globalThis[Symbol.for(${JSON.stringify(key)})];`;
}
