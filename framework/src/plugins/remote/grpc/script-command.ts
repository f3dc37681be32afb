import { childArguments, packaging, realmEntry } from '../../../realms/index.ts';

const scriptEntry = realmEntry('plugin-script', new URL('./script-main.ts', import.meta.url));

/** Executable and arguments that run a script with this program's own Node, whatever the packaging. */
export function scriptCommand(
  script: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  if (packaging !== 'executable') return { command: process.execPath, args: [script, ...args] };
  return { command: process.execPath, args: childArguments(scriptEntry, { args: [script, ...args] }) };
}
