import { describe, expect, it } from 'vitest';
import { explainDocker, parseBuildTarget } from './build-target.ts';
import type { BuildHost } from './build-target.ts';
import { dockerCommand } from './docker-build.ts';

const debian: BuildHost = { platform: 'linux', architecture: 'x64', libc: 'glibc' };
const alpine: BuildHost = { platform: 'linux', architecture: 'x64', libc: 'musl' };
const mac: BuildHost = { platform: 'darwin', architecture: 'arm64' };

describe('the target of a build', () => {
  it.each([
    [{}, debian, { platform: 'linux', architecture: 'x64', libc: 'glibc', kind: 'portable' }],
    [{ DYNAMIC: '1' }, debian, { platform: 'linux', architecture: 'x64', libc: 'glibc', kind: 'dynamic' }],
    [{ DYNAMIC: '1' }, alpine, { platform: 'linux', architecture: 'x64', libc: 'musl', kind: 'dynamic' }],
    [
      { GOOS: 'linux', GOARCH: 'amd64' },
      mac,
      { platform: 'linux', architecture: 'x64', libc: 'glibc', kind: 'portable' },
    ],
    [{ GOARCH: 'arm64' }, debian, { platform: 'linux', architecture: 'arm64', libc: 'glibc', kind: 'portable' }],
    [
      { TARGET: 'linux-arm64', GOARCH: 'amd64' },
      debian,
      { platform: 'linux', architecture: 'arm64', libc: 'glibc', kind: 'portable' },
    ],
    [{ TARGET: 'win-x64' }, debian, { platform: 'win', architecture: 'x64', kind: 'dynamic' }],
    [{ GOOS: 'windows' }, debian, { platform: 'win', architecture: 'x64', kind: 'dynamic' }],
    [{}, mac, { platform: 'darwin', architecture: 'arm64', kind: 'dynamic' }],
    [{ LIBC: 'musl', DYNAMIC: '1' }, debian, { platform: 'linux', architecture: 'x64', libc: 'musl', kind: 'dynamic' }],
  ] as const)('%j on %j', (variables, host, expected) => expect(parseBuildTarget(variables, host)).toEqual(expected));

  it.each([
    [{ GOOS: 'plan9' }, 'GOOS=plan9: expected one of linux, windows, win32, win, darwin'],
    [{ GOARCH: 'riscv' }, 'GOARCH=riscv: expected one of amd64, x86_64, x64, arm64, aarch64'],
    [{ TARGET: 'linux' }, 'TARGET=linux: expected platform and architecture, such as linux-arm64 or win-x64'],
    [{ DYNAMIC: 'yes' }, 'DYNAMIC=yes: expected 1, or nothing'],
    [{ LIBC: 'uclibc' }, 'LIBC=uclibc: expected one of glibc, musl'],
  ])('refuses %j', (variables, message) => expect(() => parseBuildTarget(variables, debian)).toThrow(message));
});

describe('Docker', () => {
  it.each([
    [{}, debian, undefined],
    [{ GOARCH: 'arm64' }, debian, undefined],
    [{ TARGET: 'win-x64' }, debian, undefined],
    [{ DYNAMIC: '1', GOOS: 'linux' }, mac, undefined],
    [{ DYNAMIC: '1' }, alpine, undefined],
    [{ LIBC: 'musl', DYNAMIC: '1' }, debian, 'there is no Node for musl on the npm registry'],
    [{ LIBC: 'glibc' }, alpine, 'this machine has musl and not the GNU C library'],
    [{ DYNAMIC: '1', GOARCH: 'arm64' }, alpine, 'there is no Node for musl on arm64 on the npm registry'],
    [{ GOOS: 'linux' }, mac, 'the C library that a portable executable carries is taken from a Linux system'],
  ] as const)('for %j on %j: %s', (variables, host, reason) => {
    expect(explainDocker(parseBuildTarget(variables, host), host)).toBe(reason);
  });

  it('is told platform, file, version and kind', () => {
    const target = parseBuildTarget({ LIBC: 'musl', DYNAMIC: '1', GOARCH: 'arm64' }, debian);
    expect(dockerCommand({ target, version: '1.3.30' }).join(' ')).toBe(
      'docker build --platform linux/arm64 -f transports/Dockerfile --target executable --build-arg VERSION=1.3.30 --build-arg DYNAMIC=1 --output tmp .',
    );
  });
});
