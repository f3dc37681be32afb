import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CarriedLibraries } from './carried-libraries.ts';
import { repository } from './repository.ts';
import type { Runtime } from './runtime-binary.ts';

export interface SbomInput {
  readonly version: string;
  readonly buildTime?: string;
  /** The sources in the bundle, relative to the repository. */
  readonly modules: readonly string[];
  readonly runtime?: Runtime;
  readonly carried?: CarriedLibraries;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

interface Component {
  readonly type: 'library' | 'application' | 'platform';
  readonly name: string;
  readonly version?: string;
  readonly 'bom-ref': string;
  readonly purl?: string;
  readonly licenses?: readonly unknown[];
  readonly hashes?: readonly unknown[];
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** Folder of the package that a source belongs to: below node_modules, or one of ours. */
function packageFolder(module: string): string | undefined {
  const installed = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module);
  if (installed?.[1] !== undefined) return installed[1];
  const parts = module.split('/');
  const depths = parts.map((_, index) => parts.slice(0, parts.length - 1 - index).join('/'));
  return depths.find((folder) => folder !== '' && existsSync(join(repository, folder, 'package.json')));
}

function npmComponent(folder: string): Component {
  const manifest = JSON.parse(readFileSync(join(repository, folder, 'package.json'), 'utf8')) as Manifest;
  const purl = `pkg:npm/${manifest.name.replace('@', '%40')}@${manifest.version}`;
  return {
    type: 'library',
    name: manifest.name,
    version: manifest.version,
    'bom-ref': purl,
    purl,
    ...(manifest.license === undefined ? {} : { licenses: [{ expression: manifest.license }] }),
  };
}

function runtimeComponent({ file, version, package: name }: Runtime): Component {
  const purl = name === undefined ? `pkg:generic/node@${version}` : `pkg:npm/${name}@${version}`;
  const hashes = [{ alg: 'SHA-256', content: sha256(readFileSync(file)) }];
  return { type: 'platform', name: 'node', version, 'bom-ref': purl, purl, licenses: [{ expression: 'MIT' }], hashes };
}

/** The GNU C library's own files are under the LGPL, GCC's under the GPL with the run-time exception. */
function carriedComponents({ linker, libraries, origins, glibcVersion }: CarriedLibraries): readonly Component[] {
  return [linker, ...libraries].map(({ name }) => {
    const isGcc = /^lib(stdc\+\+|gcc_s|atomic)\./.test(name);
    return {
      type: 'library',
      name,
      ...(isGcc ? {} : { version: glibcVersion }),
      'bom-ref': `carried:${name}`,
      licenses: [{ expression: isGcc ? 'GPL-3.0-or-later WITH GCC-exception-3.1' : 'LGPL-2.1-or-later' }],
      hashes: [{ alg: 'SHA-256', content: sha256(readFileSync(origins.get(name) ?? '')) }],
    };
  });
}

/** A UUID made of a digest, so that the same parts have the same serial number. */
function serialNumber(text: string): string {
  const hex = sha256(text);
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The bill of materials as CycloneDX 1.6 JSON: every package whose code is in the program, the runtime, carried libraries. */
export function writeSbom({ version, buildTime, modules, runtime, carried }: SbomInput): string {
  const folders = [...new Set(modules.flatMap((module) => packageFolder(module) ?? []))].toSorted();
  const components = [
    ...folders.map(npmComponent),
    ...(runtime === undefined ? [] : [runtimeComponent(runtime)]),
    ...(carried === undefined ? [] : carriedComponents(carried)),
  ];
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialNumber(JSON.stringify([version, components])),
    version: 1,
    metadata: {
      ...(buildTime === undefined ? {} : { timestamp: buildTime }),
      component: { type: 'application', name: 'bifrost-http', version, 'bom-ref': 'bifrost-http' },
    },
    components,
    dependencies: [{ ref: 'bifrost-http', dependsOn: components.map((component) => component['bom-ref']) }],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
