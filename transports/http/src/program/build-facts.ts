import { isNativeCodeAllowed, readBuildStamp } from '@bifrost/framework/realms';
import type { BuildStamp } from '@bifrost/framework/realms';
import { apiRelease } from '@bifrost/sdk';
import { readVersion } from './version.ts';

/** What `-version --json` prints. Keys may be added; none is renamed. */
export interface BuildFacts {
  readonly version: string;
  readonly runtime: { readonly name: 'node'; readonly version: string };
  /** Plugin API ranges that a plugin may state and be loaded. */
  readonly pluginApi: string;
  readonly platform: string;
  readonly architecture: string;
  /** `glibc 2.36`, `musl`; absent where the system has neither. A portable executable's is its own. */
  readonly libc?: string;
  readonly build: BuildStamp['kind'] | 'source';
  /** Native plugins can be loaded. */
  readonly nativePlugins: boolean;
  readonly commit?: string;
  /** ISO 8601, UTC. */
  readonly buildTime?: string;
}

/** The C library of the process; Node's report names the GNU one and no other. */
function readSystemLibc(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  // The report is typed as an object without members.
  const report = process.report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: string } };
  const version = report.header?.glibcVersionRuntime;
  return version === undefined ? 'musl' : `glibc ${version}`;
}

/** Collects the facts of the running program. */
export function readBuildFacts(): BuildFacts {
  const stamp = readBuildStamp();
  const libc = stamp?.carriedLibc ?? readSystemLibc();
  const [major = ''] = apiRelease.split('.');
  return {
    version: readVersion(),
    runtime: { name: 'node', version: process.versions.node },
    pluginApi: `>=${major}.0 <=${apiRelease}`,
    platform: process.platform,
    architecture: process.arch,
    ...(libc === undefined ? {} : { libc }),
    build: stamp?.kind ?? 'source',
    nativePlugins: isNativeCodeAllowed(),
    ...(stamp?.commit === undefined ? {} : { commit: stamp.commit }),
    ...(stamp?.buildTime === undefined ? {} : { buildTime: stamp.buildTime }),
  };
}

const buildTexts: Readonly<Record<BuildFacts['build'], string>> = {
  portable: 'portable executable (carries its C library)',
  dynamic: "dynamic executable (linked to the system's C library)",
  bundle: 'JavaScript bundle',
  source: 'from source',
};

/** The facts for people: the name and version alone on the first line, then a line each. */
export function formatBuildFacts(facts: BuildFacts): string {
  const native = facts.nativePlugins
    ? 'can be loaded'
    : 'cannot be loaded; an executable of `make build DYNAMIC=1` can';
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['runtime', `${facts.runtime.name} ${facts.runtime.version}`],
    ['plugin API', facts.pluginApi],
    ['platform', `${facts.platform}-${facts.architecture}${facts.libc === undefined ? '' : `, ${facts.libc}`}`],
    ['build', buildTexts[facts.build]],
    ['native plugins', native],
    ['commit', facts.commit],
    ['build time', facts.buildTime],
  ];
  const lines = rows.flatMap(([name, value]) => (value === undefined ? [] : `  ${name.padEnd(15)}${value}`));
  return `bifrost-http ${facts.version}\n${lines.join('\n')}\n`;
}
