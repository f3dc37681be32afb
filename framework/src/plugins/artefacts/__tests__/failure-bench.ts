/** A place where plugins fail: compilers, a server, and what the gateway says. For the cases of the troubleshooting page. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { entry, hostIn } from '../../__tests__/plugin-folder.ts';
import { resolveArtefact } from '../resolve-artefact.ts';
import type { ResolveOptions } from '../resolve-artefact.ts';
import type { ArtefactEntry } from '../supply-artefact.ts';
import { startPluginServer } from './plugin-server.ts';
import type { PluginServer } from './plugin-server.ts';
import { nativeSource, openWorkshop } from './toolchain.ts';
import type { Workshop } from './toolchain.ts';

/** One case: how to make it happen, and with which tools. */
export interface Case {
  readonly tools?: readonly string[];
  /** Gives the messages, at least one. */
  readonly produce: () => Promise<readonly string[]>;
}

export interface FailureBench extends Workshop {
  readonly server: PluginServer;
  /** The message of a resolution that fails, without the plugin's name. */
  readonly messageFor: (rest: Partial<ArtefactEntry>, options?: Partial<ResolveOptions>) => Promise<string>;
  /** Writes a folder with a manifest and files; gives its path. */
  readonly pluginIn: (name: string, manifest: object, files?: Readonly<Record<string, string>>) => string;
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
}

/** Starts the server and fills the workshop. The server is the caller's to end. */
export async function openFailureBench(): Promise<FailureBench> {
  const server = await startPluginServer();
  const workshop = openWorkshop();
  const { write, path, folder } = workshop;
  write('p.c', `#include <stdio.h>\nint use(void) { return puts("a"); }\n${nativeSource}`);
  write('bare.c', nativeSource);
  const common: ResolveOptions = {
    baseDirectory: folder,
    workingDirectory: '/nowhere',
    pluginDirectory: path('plugins'),
    download: {
      certificateAuthority: server.certificate,
      privateHosts: ['plugins.example'],
      resolveHost: async () => ['127.0.0.1'],
    },
  };
  return {
    ...workshop,
    server,
    async messageFor(rest, options = {}) {
      const error: unknown = await resolveArtefact({ name: 'p', ...rest }, { ...common, ...options }).then(
        (found) => found,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(Error);
      return error instanceof Error ? error.message.replace(/^plugin p: /, '') : '';
    },
    pluginIn(name, manifest, files = { 'p.mjs': 'export {};' }) {
      const base = { name: 'tester', version: '1.2.0', api: '1', main: Object.keys(files)[0] };
      writeFiles(path(name), { ...files, 'bifrost-plugin.json': JSON.stringify({ ...base, ...manifest }) });
      return `./${name}`;
    },
  };
}

/** What the host says of a plugin that fails in its own code. */
export async function hostMessage(files: Readonly<Record<string, string>>, pluginPath: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-modules-'));
  try {
    writeFiles(folder, files);
    const { host } = hostIn(folder);
    await host.load([entry('p', pluginPath)]);
    return host.status()[0]?.message?.replace(/^plugin p: /, '') ?? '';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs as a user who may not read root's files. */
export async function unprivileged<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

/** All messages. */
export async function all(...messages: readonly Promise<string>[]): Promise<readonly string[]> {
  return Promise.all(messages);
}
