/**
 * The types of `@bifrost/sdk` as one ambient module, for plugins outside the repository: `tsc` and editors then know every hook
 * without a package to install.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as sdk from '@bifrost/sdk';

const header = `/**
 * The types of @bifrost/sdk, which the gateway brings along for every plugin. Generated: \`bifrost plugin types\` writes those
 * of the installed version.
 */
`;

/** Where the sources of the sdk are; its other files (C header, guests of WebAssembly) are below the folder above. */
function sdkFolder(): string {
  return join(dirname(fileURLToPath(import.meta.resolve('@bifrost/sdk'))), '..');
}

/** One declaration file as part of the module: no imports, as all files become one; values that the package keeps to itself hidden. */
function inModule(text: string): string {
  const values = new Set(Object.keys(sdk));
  return text
    .replaceAll(/^import [^;]*;\n/gm, '')
    .replaceAll(/^export (?:type )?(?:\*|\{[^}]*\})(?: from [^;]*)?;\n/gm, '')
    .replaceAll(/^(export )?declare (const|let|function|class|abstract class) (\w+)/gm, (_, _export, kind, name) =>
      values.has(name) ? `export ${kind} ${name}` : `${kind} ${name}`,
    );
}

/** Files have small types of the same name and content for themselves: one is enough. */
function withoutRepeats(text: string): string {
  const seen = new Set<string>();
  return text
    .split('\n')
    .filter((line) => {
      if (!/^type \w+.*;$/.test(line)) return true;
      const isNew = !seen.has(line);
      seen.add(line);
      return isNew;
    })
    .join('\n');
}

/** Generates the text with \`tsc\` of this installation: for the build of the command line, and its tests. */
export function generateSdkTypes(tsc: string): string {
  const source = join(sdkFolder(), 'src');
  const out = mkdtempSync(join(tmpdir(), 'bifrost-sdk-types-'));
  try {
    const entry = join(source, 'index.ts');
    const flags = ['--declaration', '--emitDeclarationOnly', '--allowImportingTsExtensions', '--target', 'es2024'];
    const more = ['--module', 'nodenext', '--strict', '--types', 'node', '--outDir', out, '--rootDir', source];
    execFileSync(process.execPath, [tsc, '--ignoreConfig', ...flags, ...more, entry], {
      cwd: join(sdkFolder(), '..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const files = readdirSync(out).filter((name) => name.endsWith('.d.ts') && name !== 'index.d.ts');
    const parts = files.toSorted().map((name) => inModule(readFileSync(join(out, name), 'utf8')).trim());
    const body = withoutRepeats(parts.filter((part) => part !== '').join('\n\n'));
    const indented = body.replaceAll(/^(?=.)/gm, '  ');
    return `${header}declare module '@bifrost/sdk' {\n${indented}\n\n  export {};\n}\n`;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
