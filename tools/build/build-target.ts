/** What is to be built, from the variables of `make build`. */
export interface BuildTarget {
  readonly platform: 'linux' | 'win' | 'darwin';
  readonly architecture: 'x64' | 'arm64';
  /** C library of the runtime; only Linux has a choice. */
  readonly libc?: 'glibc' | 'musl';
  /** `portable` carries the C library, `dynamic` is linked to the system's. Outside Linux there is only the latter. */
  readonly kind: 'portable' | 'dynamic';
}

/** The machine that builds, in the same terms. */
export type BuildHost = Pick<BuildTarget, 'platform' | 'architecture' | 'libc'>;

type Variables = Readonly<Record<string, string | undefined>>;

const platforms: Readonly<Record<string, BuildTarget['platform']>> = {
  linux: 'linux',
  windows: 'win',
  win32: 'win',
  win: 'win',
  darwin: 'darwin',
};
const architectures: Readonly<Record<string, BuildTarget['architecture']>> = {
  amd64: 'x64',
  x86_64: 'x64',
  x64: 'x64',
  arm64: 'arm64',
  aarch64: 'arm64',
};

function choose<Value>(variable: string, given: string, choices: Readonly<Record<string, Value>>): Value {
  const value = choices[given];
  if (value === undefined) {
    throw new Error(`${variable}=${given}: expected one of ${Object.keys(choices).join(', ')}`);
  }
  return value;
}

/** Node's report names the GNU C library that it runs on, and says nothing of another. */
function isMusl(): boolean {
  // The report is typed as an object without members.
  const report = process.report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined;
}

/** The machine's own platform, architecture and C library. */
export function readBuildHost(): BuildHost {
  const platform = choose('this machine', process.platform, platforms);
  const architecture = choose('this machine', process.arch, architectures);
  if (platform !== 'linux') return { platform, architecture };
  return { platform, architecture, libc: isMusl() ? 'musl' : 'glibc' };
}

/** Reads `TARGET`, `GOOS`, `GOARCH`, `LIBC` and `DYNAMIC`. Throws with what was given and what is expected. */
export function parseBuildTarget(variables: Variables, host: BuildHost): BuildTarget {
  const { TARGET = '', GOOS = '', GOARCH = '', LIBC = '', DYNAMIC = '' } = variables;
  const [targetPlatform = '', targetArchitecture = ''] = TARGET.split('-');
  if (TARGET !== '' && targetArchitecture === '') {
    throw new Error(`TARGET=${TARGET}: expected platform and architecture, such as linux-arm64 or win-x64`);
  }
  const platform = platformOf(TARGET === '' ? ['GOOS', GOOS] : ['TARGET', targetPlatform], host);
  const given = TARGET === '' ? GOARCH : targetArchitecture;
  const architecture =
    given === '' ? host.architecture : choose(TARGET === '' ? 'GOARCH' : 'TARGET', given, architectures);
  if (!['', '0', '1'].includes(DYNAMIC)) throw new Error(`DYNAMIC=${DYNAMIC}: expected 1, or nothing`);
  if (platform !== 'linux') return { platform, architecture, kind: 'dynamic' };
  const libc = LIBC === '' ? (host.libc ?? 'glibc') : choose('LIBC', LIBC, { glibc: 'glibc', musl: 'musl' } as const);
  return { platform, architecture, libc, kind: DYNAMIC === '1' ? 'dynamic' : 'portable' };
}

function platformOf([variable, given]: readonly [string, string], host: BuildHost): BuildTarget['platform'] {
  return given === '' ? host.platform : choose(variable, given, platforms);
}

/** As people write it: `linux-arm64`. */
export function targetName({ platform, architecture }: BuildHost): string {
  return `${platform}-${architecture}`;
}

/** Why this machine cannot build the target by itself; undefined where it can. */
export function explainDocker(target: BuildTarget, host: BuildHost): string | undefined {
  if (target.platform !== 'linux') return undefined;
  if (target.libc === 'musl' && host.libc !== 'musl') return 'there is no Node for musl on the npm registry';
  if (target.libc === 'glibc' && host.libc === 'musl') return 'this machine has musl and not the GNU C library';
  if (target.libc === 'musl' && target.architecture !== host.architecture) {
    return `there is no Node for musl on ${target.architecture} on the npm registry`;
  }
  if (target.kind === 'portable' && host.platform !== 'linux') {
    return 'the C library that a portable executable carries is taken from a Linux system';
  }
  return undefined;
}
