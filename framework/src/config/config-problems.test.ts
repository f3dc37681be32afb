import { describe, expect, it } from 'vitest';
import { key, openai, problemsOf } from './__tests__/load-file.ts';

describe('a file that is wrong', () => {
  it.each<[string, object | string, string]>([
    ['a wrong type', key({ weight: 'heavy' }), 'providers.openai.keys[0].weight: expected a number, got a string'],
    [
      'a negative weight',
      key({ weight: -1 }),
      'providers.openai.keys[0].weight: expected at least 0, got the number -1',
    ],
    ['an unknown key', key({ wieght: 1 }), 'providers.openai.keys[0]: unknown key "wieght"; did you mean "weight"?'],
    ['an unknown section', { provders: {} }, 'unknown key "provders"; did you mean "providers"?'],
    ['an unknown provider', { providers: { opnai: {} } }, 'providers.opnai: unknown provider; did you mean "openai"?'],
    ['no keys', { providers: { openai: {} } }, 'providers.openai.keys: is missing or empty; expected at least one key'],
    ['a key without value', key({ value: ' ' }), 'providers.openai.keys[0].value: is missing; expected the key itself'],
    ['a plugin without name', { plugins: [{ path: 'x' }] }, 'plugins[0].name: is missing; expected a string'],
    [
      'a dead reference',
      key({ value: 'env.NOT_THERE' }),
      'providers.openai.keys[0].value: refers to the environment variable NOT_THERE, which is not set',
    ],
    [
      'two keys of one name',
      openai({
        keys: [
          { name: 'a', value: '1' },
          { name: 'a', value: '2' },
        ],
      }),
      'providers.openai.keys[1].name: is the name of keys[0] too; names must differ',
    ],
    [
      'aliases that differ in case only',
      key({ aliases: { Fast: 'a', fast: 'b' } }),
      'providers.openai.keys[0].aliases.fast: differs from the alias "Fast" only in case; keep one',
    ],
    [
      'an alias object without model_id',
      key({ aliases: { a: { model_name: 'x' } } }),
      'providers.openai.keys[0].aliases.a.model_id: is missing; expected a string',
    ],
    [
      'a URL that is none',
      openai({ network_config: { base_url: 'example.com' } }),
      'providers.openai.network_config.base_url: expected an absolute http:// or https:// URL',
    ],
    [
      'a duration that is none',
      openai({ network_config: { retry_backoff_initial: 'soon' } }),
      'providers.openai.network_config.retry_backoff_initial: expected milliseconds as a number or a duration',
    ],
    [
      'two ways to check a certificate',
      openai({ network_config: { insecure_skip_verify: true, ca_cert_pem: 'x' } }),
      'providers.openai.network_config: has both insecure_skip_verify and ca_cert_pem; give one of them',
    ],
    [
      'a proxy without URL',
      openai({ proxy_config: { type: 'http' } }),
      'providers.openai.proxy_config.url: a proxy of type http needs a URL',
    ],
    [
      'a proxy type that is none',
      openai({ proxy_config: { type: 'htp' } }),
      'providers.openai.proxy_config.type: expected one of "none", "http", "socks5", "environment", got a string',
    ],
    [
      'an unknown operation',
      {
        providers: {
          lab: {
            network_config: { base_url: 'http://lab' },
            custom_provider_config: {
              base_provider_type: 'openai',
              is_key_less: true,
              allowed_requests: { chat: true },
            },
          },
        },
      },
      'providers.lab.custom_provider_config.allowed_requests: unknown key "chat"',
    ],
    [
      'a base that is none',
      {
        providers: {
          lab: {
            network_config: { base_url: 'http://lab' },
            custom_provider_config: { base_provider_type: 'opena' },
            keys: [],
          },
        },
      },
      'providers.lab.custom_provider_config.base_provider_type: no provider of this type can be the base of a custom one; did you mean "openai"?',
    ],
    [
      'keys of gRPC without its isolation',
      { plugins: [{ name: 'p', command: './p', isolation: 'process' }] },
      'plugins[0].command: is for `isolation: "grpc"` only; set that too, or leave command out',
    ],
    [
      'a bound on processor time where there is nothing to bind',
      { plugins: [{ name: 'p', path: './p.ts', cpu_limit: 0.5 }] },
      'plugins[0].cpu_limit: is for a plugin with a thread or process of its own; set `isolation` to "worker", "process" or "grpc"',
    ],
    [
      'a digest of the wrong length',
      { plugins: [{ name: 'p', path: './p.ts', sha256: 'abc' }] },
      'plugins[0].sha256: expected 64 hexadecimal digits',
    ],
    [
      'two digests',
      { plugins: [{ name: 'p', sha256: 'a'.repeat(64), integrity: `sha256-${'a'.repeat(43)}=` }] },
      'plugins[0].integrity: says the same as `sha256`; give one of them',
    ],
    [
      'a capability that is none',
      { plugins: [{ name: 'p', path: './p.ts', capabilities: { network: ['a'] } }] },
      'plugins[0].capabilities: unknown key "network"; known are fs, net, env, childProcess, workerThreads, native, sqlite',
    ],
    [
      'a failure policy that is none',
      { plugins: [{ name: 'p', path: './p.ts', on_error: 'ignore' }] },
      'plugins[0].on_error: expected "continue", "deny", "skip" or { "disable_after": n }',
    ],
    ['an array in the place of the file', '[]', 'expected an object, got an array'],
    ['a version that is none', { version: 3 }, 'version: expected 1 or 2'],
    [
      'a comma too many',
      '{\n  "client": {},\n}',
      'line 3, column 1: not valid JSON: a comma stands before }: remove it',
    ],
    ['a comment', '{\n  // here\n}', 'line 2, column 3: not valid JSON: JSON has no comments: remove it'],
    ['an end that is missing', '{"client": {', 'not valid JSON: the text ends before the JSON does'],
    [
      'a bracket that is missing',
      '{\n "plugins": [ { "name": "p" }\n}',
      'line 3, column 1: not valid JSON: unexpected }: the [ of line 2, column 13 is open still, a ] is missing before it',
    ],
    [
      'a path of Windows',
      '{"plugins": [{"path": "C:\\plugins\\p.ts"}]}',
      'not valid JSON: a backslash begins an escape in a JSON string: write \\\\ for one, or / in a path',
    ],
    [
      'a file in UTF-16',
      Buffer.from('\uFEFF{}', 'utf16le').toString(),
      'not valid JSON: the file is in UTF-16, expected UTF-8: save it in UTF-8',
    ],
    [
      'a word near to one of those expected',
      { plugins: [{ name: 'p', path: './p.ts', isolation: 'proces' }] },
      'plugins[0].isolation: expected one of "inline", "worker", "process", "grpc", got a string; did you mean "process"?',
    ],
    ['an empty file', '', 'not valid JSON: the file is empty; expected a JSON object, at least {}'],
  ])('%s', (_name, file, expected) => {
    const problems = problemsOf(file);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  it('lists every problem in one message', () => {
    const problems = problemsOf({
      cleint: {},
      client: { max_request_body_size_mb: 'big' },
      providers: { openai: { keys: [{ value: 'env.GONE', models: '*' }] } },
    });
    expect(problems).toEqual([
      'providers.openai.keys[0].value: refers to the environment variable GONE, which is not set',
      'client.max_request_body_size_mb: expected a whole number from 1 to 4096, got a string',
      'providers.openai.keys[0].models: expected an array, got a string',
      'unknown key "cleint"; did you mean "client"?',
    ]);
  });

  it('never shows a value that may be secret', () => {
    const canary = 'sk-canary-1234567890';
    const messages = [
      problemsOf(key({ weight: canary, models: canary, aliases: canary, enabled: canary })),
      problemsOf(openai({ keys: canary, proxy_config: { type: canary, password: canary } })),
      problemsOf(openai({ network_config: { base_url: canary, extra_headers: canary, max_retries: canary } })),
      problemsOf(`{"providers": {"openai": {"keys": [{"value": "${canary}" oops}]}}}`),
      problemsOf({ plugins: [{ name: 'p', config: canary }] }),
    ].flat();
    expect(messages.length).toBeGreaterThanOrEqual(10);
    expect(messages.join('\n')).not.toContain('canary');
  });
});
