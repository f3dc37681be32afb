import { basename } from 'node:path';
import { packaging } from '@bifrost/framework/realms';

/** How people call the command line here, so that what it tells them to type works: `bifrost`, or a part of the gateway's program. */
export function calledAs(argv0: string, script: string, form: typeof packaging = packaging): string {
  const name = form === 'executable' ? argv0 : script;
  return /^(?:main\.[jt]s|bifrost-http(?:\..*)?)$/.test(basename(name)) && !name.endsWith('cli/src/main.ts')
    ? 'bifrost-http'
    : 'bifrost';
}

/** A line with the command's name as it is called here. */
export function inWordsOf(name: string, line: string): string {
  return line.replaceAll(/\bbifrost (?=plugin\b)/g, `${name} `);
}
