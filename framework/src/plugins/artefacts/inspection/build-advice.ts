/** The command that builds a native plugin for a machine. */
import type { Machine } from './machine.ts';

/** The language that a native file was written in, as far as it shows; `c` stands for all that is linked like C. */
export type Origin = 'go' | 'rust' | 'c';

const goArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
const gnuArchitectures: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686' };

function rustTarget({ os, architecture, libc }: Machine): string {
  const name = gnuArchitectures[architecture] ?? architecture;
  if (os === 'darwin') return `${name}-apple-darwin`;
  if (os === 'win32') return `${name}-pc-windows-msvc`;
  return `${name}-unknown-linux-${libc?.kind === 'musl' ? 'musl' : 'gnu'}`;
}

function cCommand({ os, architecture, libc }: Machine): string {
  const name = gnuArchitectures[architecture] ?? architecture;
  if (os === 'darwin') return `clang -dynamiclib -arch ${architecture === 'x64' ? 'x86_64' : architecture}`;
  if (os === 'win32') return `${name}-w64-mingw32-gcc -shared`;
  return libc?.kind === 'musl' ? 'gcc -shared -fPIC on Alpine' : `${name}-linux-gnu-gcc -shared -fPIC`;
}

/** How to build for `machine`: in C, Go or Rust as `origin` says. */
export function buildAdvice(machine: Machine, origin: Origin = 'c'): string {
  const { os, architecture } = machine;
  if (origin === 'rust') return `cargo build --release --target ${rustTarget(machine)}`;
  if (origin === 'c') return cCommand(machine);
  const [system, processor] = [os === 'win32' ? 'windows' : os, goArchitectures[architecture] ?? architecture];
  return `CGO_ENABLED=1 GOOS=${system} GOARCH=${processor} go build -buildmode=c-shared`;
}
