#!/usr/bin/env node
/**
 * Starts the command line on the Node that it is made for. Plain JavaScript without imports of its own, as any Node from 20 on must
 * be able to read it: where this one is older than 26, the pinned Node of the installation takes over.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldest = 26;
const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, '..', 'src', 'main.ts');

/** The runtime of the platform packages that the installation pins; undefined where there is none for this machine. */
function pinnedNode() {
  const executable = process.platform === 'win32' ? 'node.exe' : 'bin/node';
  const names = [`node-bin-${process.platform}-${process.arch}`, `node-${process.platform}-${process.arch}`];
  const windows = `node-win-${process.arch}`;
  for (const name of process.platform === 'win32' ? [windows] : names) {
    for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
      const candidates = [join(folder, name, executable), join(folder, name, 'bin', executable)];
      const found = candidates.find((path) => existsSync(path));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

const node = Number(process.versions.node.split('.')[0]) >= oldest ? process.execPath : pinnedNode();
if (node === undefined) {
  process.stderr.write(
    `bifrost needs Node ${oldest} or newer, this is ${process.version}, and the installation has none of its own for ` +
      `${process.platform}-${process.arch}: install Node ${oldest}, or run \`npm ci\` without --omit=optional\n`,
  );
  process.exit(2);
}
const flags = ['--disable-warning=ExperimentalWarning'];
const child = spawn(node, [...flags, main, ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`bifrost cannot start ${node}: ${error.message}\n`);
  process.exit(2);
});
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
