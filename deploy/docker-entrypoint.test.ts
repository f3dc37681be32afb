import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const entrypoint = join(import.meta.dirname, 'docker-entrypoint.sh');
const folder = mkdtempSync(join(tmpdir(), 'bifrost-entrypoint-'));
// The script goes on as another user, who must be able to read what is here.
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

/** Stands for the program: says with what it was started, and how it ends. */
const program = join(folder, 'main');
writeFileSync(
  program,
  `#!/bin/sh
trap 'echo got TERM; exit 0' TERM
echo "user=$(id -u) dir=$APP_DIR"
for argument in "$@"; do echo "[$argument]"; done
case "\${1:-}" in -signal) kill -TERM $$ ;; -code) exit 7 ;; esac
`,
  { mode: 0o755 },
);

/** Alpine's way to give up root, as BusyBox's own setpriv cannot; here made of the one of util-linux. */
const suExec = join(folder, 'su-exec');
writeFileSync(
  suExec,
  `#!/bin/sh
user="$1" && shift
exec /usr/bin/setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@"
`,
  { mode: 0o755 },
);

const shells: readonly (readonly [string, readonly string[]])[] = [
  ['dash', ['/bin/dash']],
  ['busybox sh', ['/bin/busybox', 'sh']],
];
const isRoot = process.getuid?.() === 0;
const nobody = 65_534;
let directories = 0;

function newDirectory(mode: number, owner = process.getuid?.() ?? 0): string {
  const path = join(folder, `data ${directories++}`);
  mkdirSync(path, { mode });
  chmodSync(path, mode);
  spawnSync('chown', [String(owner), path]);
  return path;
}

describe.each(shells)('the entrypoint under %s', (_name, shell) => {
  const isThere = existsSync(shell[0] ?? '');

  function run(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    uid?: number,
  ): {
    readonly code: number | null;
    readonly output: string;
    readonly complaint: string;
  } {
    const [file = '', ...first] = shell;
    const env = {
      PATH: `${folder}:/usr/sbin:/usr/bin:/sbin:/bin`,
      BIFROST_PROGRAM: program,
      BIFROST_USER: 'no-such-user',
      APP_DIR: newDirectory(0o777),
      ...environment,
    };
    const result = spawnSync(file, [...first, entrypoint, ...args], {
      encoding: 'utf8',
      env,
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    return { code: result.status, output: result.stdout, complaint: result.stderr };
  }

  it.skipIf(!isThere).each([
    ['nothing', [], ''],
    ['the program alone', [program], ''],
    ['flags alone', ['-port', '9090', '--x=a b', ''], '[-port]\n[9090]\n[--x=a b]\n[]\n'],
    ['the program with flags', [program, '-y', '* $HOME'], '[-y]\n[* $HOME]\n'],
  ])('passes through: %s', (_what, args, expected) => {
    const { code, output } = run(args);
    expect(output.slice(output.indexOf('\n') + 1)).toBe(expected);
    expect(code).toBe(0);
  });

  it.skipIf(!isThere)('runs any other command without looking at the directory', () => {
    expect(run(['sh', '-c', 'echo other; exit 4'], { APP_DIR: '/proc/none' })).toEqual({
      code: 4,
      output: 'other\n',
      complaint: '',
    });
  });

  it.skipIf(!isThere)("becomes the program: its exit code and its signals are the container's", () => {
    expect(run(['-code']).code).toBe(7);
    expect(run(['-signal']).output).toContain('got TERM');
  });

  it.skipIf(!isThere)('makes the app directory, that of -app-dir too', () => {
    const APP_DIR = join(newDirectory(0o777), 'deep/er');
    expect(run([], { APP_DIR }).output).toContain(`dir=${APP_DIR}\n`);
    expect(existsSync(join(APP_DIR, 'logs'))).toBe(true);
    const other = join(newDirectory(0o777), 'flag');
    run(['-app-dir', other]);
    run([`--app-dir=${other}2`]);
    expect([existsSync(join(other, 'logs')), existsSync(join(`${other}2`, 'logs'))]).toEqual([true, true]);
  });

  it.skipIf(!isThere || !isRoot)('started as root, hands the directory to the user and gives the privilege up', () => {
    const APP_DIR = newDirectory(0o755, 0);
    writeFileSync(join(APP_DIR, 'config.json'), '{}');
    const { output, complaint } = run(['-x'], { APP_DIR, BIFROST_USER: 'nobody' });
    expect(complaint).toBe('');
    expect(output).toBe(`user=${nobody} dir=${APP_DIR}\n[-x]\n`);
    expect([statSync(APP_DIR).uid, statSync(join(APP_DIR, 'config.json')).uid]).toEqual([nobody, nobody]);
  });

  it.skipIf(!isThere || !isRoot)(
    'says what to do where the directory cannot be written, unless told not to look',
    () => {
      const APP_DIR = newDirectory(0o755, 0);
      const refused = run(['-x'], { APP_DIR }, nobody);
      expect(refused).toMatchObject({ code: 1, output: '' });
      expect(refused.complaint).toContain(`user ${nobody}, group ${nobody} cannot write to ${APP_DIR}`);
      expect(refused.complaint).toContain('Kubernetes:');
      expect(run(['-x'], { APP_DIR, BIFROST_SKIP_WRITE_CHECK: '1' }, nobody).output).toContain('[-x]');
    },
  );
});
