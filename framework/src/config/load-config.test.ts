import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCustomDefinition, providerDefinitions } from '@bifrost/core/providers';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from './load-config.ts';
import type { LoadConfigOptions, ProviderCatalogue } from './load-config.ts';
import type { LoadedConfig } from './loaded-config.ts';
import { ConfigProblemsError } from './problem.ts';

const catalogue: ProviderCatalogue = {
  definitions: providerDefinitions,
  createCustom: (name, options) =>
    providerDefinitions.has(options.baseProviderType) ? createCustomDefinition(name, options) : undefined,
};

function load(file: unknown, environment: Record<string, string> = {}): LoadedConfig {
  const text = typeof file === 'string' ? file : JSON.stringify(file);
  return loadConfig({ catalogue, environment, text });
}

/** The lines of the one message that a wrong configuration gives. */
function problemsOf(file: unknown, options: Partial<LoadConfigOptions> = {}): string[] {
  try {
    const text = typeof file === 'string' ? file : JSON.stringify(file);
    loadConfig({ catalogue, environment: {}, text, ...options });
  } catch (error) {
    if (error instanceof ConfigProblemsError)
      return error.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
    throw error;
  }
  return [];
}

const openai = (provider: object): object => ({ providers: { openai: { keys: [{ value: 'sk-1' }], ...provider } } });
const key = (entry: object): object => openai({ keys: [{ value: 'sk-1', ...entry }] });

describe('a file that is right', () => {
  it('fills in the defaults', () => {
    const provider = load(key({ name: 'main' })).providers.get('openai');
    expect(provider?.network).toMatchObject({
      connectTimeoutMs: 10_000,
      firstContentTimeoutMs: 600_000,
      streamIdleTimeoutMs: 120_000,
      totalTimeoutMs: 0,
      maxRetries: 0,
      retryBackoffInitialMs: 500,
      retryBackoffMaxMs: 5000,
    });
    expect(provider).toMatchObject({ concurrency: 1000, queueSize: 5000, proxy: { type: 'none' } });
    expect(provider?.keys).toEqual([
      {
        id: 'main',
        name: 'main',
        value: 'sk-1',
        models: ['*'],
        blacklistedModels: [],
        weight: 1,
        aliases: {},
        isEnabled: true,
      },
    ]);
  });

  it('leaves out the /v1 of a base URL that the paths have already', () => {
    const provider = load(openai({ network_config: { base_url: 'http://127.0.0.1:9/v1' } })).providers.get('openai');
    expect(provider?.definition.baseUrl).toBe('http://127.0.0.1:9');
  });

  it.each([
    [2, [], []],
    [1, [], ['*']],
    [2, ['*'], ['*']],
    [1, ['a'], ['a']],
  ])('reads models by version %i: %j -> %j', (version, models, expected) => {
    const config = load({ version, ...key({ models }) });
    expect(config.providers.get('openai')?.keys[0]?.models).toEqual(expected);
  });

  it('takes aliases as strings and as objects', () => {
    const config = load(
      key({ aliases: { fast: 'gpt-4o-mini', smart: { model_id: 'gpt-4o', model_family: 'openai' } } }),
    );
    expect(config.providers.get('openai')?.keys[0]?.aliases).toEqual({ fast: 'gpt-4o-mini', smart: 'gpt-4o' });
  });

  it('carries every key of a plugin to its entry', () => {
    const config = load({
      plugins: [
        {
          name: 'p',
          path: './p',
          isolation: 'process',
          instances: 'thread',
          watch: true,
          required: true,
          sha256: 'AB'.repeat(32),
          memory_limit_mb: 2,
          timeout_ms: 50,
          on_error: { disable_after: 3 },
          breaker: { failures: 4, failure_rate: 0.5, window_ms: 900, cool_down_ms: 10 },
          budget_ms: 0.5,
          rollback: { failure_rate: 1 },
          probation_seconds: 1.5,
          semaphore_size: 7,
          inject_timeout: '2s',
          capabilities: { net: ['a.example'] },
        },
        {
          name: 'g',
          isolation: 'grpc',
          command: './g',
          args: ['-x'],
          env: { A: 'b' },
          breaker: false,
          budget_ms: { preLLMHook: 2 },
          rollback: false,
        },
        {
          name: 't',
          isolation: 'grpc',
          address: 'https://plugins.example.com:7443',
          tls: { ca: 'ca.pem', cert: 'c.pem', key: 'c.key', server_name: 'plugins' },
        },
      ],
    });
    expect(config.plugins).toEqual([
      {
        name: 'p',
        path: './p',
        isolation: 'process',
        instances: 'thread',
        watch: true,
        required: true,
        enabled: true,
        sha256: 'ab'.repeat(32),
        memoryLimitBytes: 2_097_152,
        timeoutMs: 50,
        onError: { disableAfter: 3 },
        breaker: { failures: 4, errorRate: 0.5, windowMs: 900, coolDownMs: 10 },
        budgetMs: 0.5,
        rollback: { failureRate: 1 },
        probationMs: 1500,
        injectConcurrency: 7,
        injectTimeoutMs: 2000,
        capabilities: { net: ['a.example'] },
      },
      {
        name: 'g',
        enabled: true,
        isolation: 'grpc',
        breaker: false,
        budgetMs: { preLLMHook: 2 },
        rollback: false,
        grpc: { command: './g', args: ['-x'], env: { A: 'b' } },
      },
      {
        name: 't',
        enabled: true,
        isolation: 'grpc',
        grpc: {
          address: 'https://plugins.example.com:7443',
          tls: { ca: 'ca.pem', cert: 'c.pem', key: 'c.key', serverName: 'plugins' },
        },
      },
    ]);
  });

  it('resolves references to the environment: as a string, as an object, below plugins', () => {
    const config = load(
      {
        providers: {
          openai: { keys: [{ value: 'env.MY_KEY' }] },
          anthropic: { keys: [{ value: { value: '', env_var: 'env.OTHER', from_env: true } }] },
        },
        plugins: [{ name: 'p', path: './p.ts', config: { deep: [{ token: 'env.MY_KEY' }] } }],
      },
      { MY_KEY: 'sk-my', OTHER: 'sk-other' },
    );
    expect(config.providers.get('openai')?.keys[0]?.value).toBe('sk-my');
    expect(config.providers.get('anthropic')?.keys[0]?.value).toBe('sk-other');
    expect(config.plugins[0]?.config).toEqual({ deep: [{ token: 'sk-my' }] });
  });

  it('makes a custom provider on the base it names', () => {
    const config = load({
      providers: {
        lab: {
          network_config: { base_url: 'http://lab.internal:8000' },
          custom_provider_config: {
            base_provider_type: 'openai',
            is_key_less: true,
            allowed_requests: { chat_completion: true, chat_completion_stream: false },
            request_path_overrides: { chat_completion: '/chat' },
          },
        },
      },
    });
    const provider = config.providers.get('lab');
    expect(provider?.definition).toMatchObject({ name: 'lab', baseUrl: 'http://lab.internal:8000', isKeyless: true });
    expect(provider?.allowedRequests).toEqual(['chat_completion']);
    expect(provider?.requestPathOverrides).toEqual({ chat_completion: '/chat' });
  });

  it("takes a key's own server address", () => {
    const config = load({
      providers: { vllm: { keys: [{ name: 'a', vllm_key_config: { url: 'http://gpu1:8000/v1/' } }] } },
    });
    expect(config.providers.get('vllm')?.keys[0]).toMatchObject({ value: '', baseUrl: 'http://gpu1:8000' });
  });

  it('reads client', () => {
    const config = load({
      client: {
        drop_excess_requests: true,
        max_request_body_size_mb: 2,
        max_request_bytes_in_flight_mb: 3,
        allowed_origins: ['https://app.example'],
        allowed_headers: ['X-Mine'],
        required_headers: ['X-Team'],
        header_filter_config: { allowlist: ['Anthropic-Beta'], denylist: ['x-no'] },
      },
    });
    expect(config.client).toMatchObject({
      dropExcessRequests: true,
      maxRequestBodyBytes: 2 * 1024 * 1024,
      maxRequestBytesInFlight: 3 * 1024 * 1024,
      allowedOrigins: ['https://app.example'],
      requiredHeaders: ['x-team'],
      headerAllowlist: ['anthropic-beta'],
      headerDenylist: ['x-no'],
    });
    expect(config.allowedHeaders).toEqual(['X-Mine']);
  });

  it('can be posted to a thread', () => {
    const config = load(key({ aliases: { a: 'b' } }));
    expect(structuredClone(config)).toEqual(config);
  });

  it('names what is accepted and not used yet', () => {
    const config = load({
      $schema: 'https://www.getbifrost.ai/schema',
      governance: { virtual_keys: [] },
      config_store: { enabled: true, type: 'sqlite' },
      client: { initial_pool_size: 300, enable_logging: true },
      providers: { bedrock: { keys: [{ bedrock_key_config: { region: 'eu-west-1' } }] } },
      plugins: [{ name: 'telemetry', enabled: true }],
    });
    expect(config.notes.map(({ message }) => message)).toEqual([
      'not used yet: governance, config_store, providers.bedrock, plugins[telemetry]',
      'not used yet: client.initial_pool_size, client.enable_logging',
    ]);
    expect(config.plugins).toEqual([]);
    expect([...config.providers.keys()]).toEqual(['mock']);
  });

  it.each([
    [{}, { keyRequired: 'beyond-loopback' }],
    [{ enforce_auth_on_inference: true }, { keyRequired: 'always' }],
    [{ enforce_governance_header: true }, { keyRequired: 'always' }],
    [{ enforce_scim_auth: true, enforce_auth_on_inference: false }, { keyRequired: 'always' }],
    [{ enforce_auth_on_inference: false }, { keyRequired: 'never' }],
    [{ enforce_scim_auth: false }, { keyRequired: 'beyond-loopback' }],
    [{ inference_key: 'env.OPENAI_API_KEY' }, { keyRequired: 'beyond-loopback', key: 'KEYOFCALLERS' }],
  ])('says who may call with %j', (client, access) => {
    const long = 'KEYOFCALLERS'.repeat(2);
    const expected = 'key' in access ? { ...access, key: long } : access;
    expect(load({ client }, { OPENAI_API_KEY: long }).inferenceAccess).toEqual(expected);
  });

  it('always has the embedded provider', () => {
    expect(load({}).providers.get('mock')?.definition.isEmbedded).toBe(true);
  });
});

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
      'plugins[0].capabilities: unknown key "network"',
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

describe('where the configuration is found', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bifrost-config-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  it('makes providers of well-known variables where there is no file', () => {
    const config = loadConfig({
      catalogue,
      environment: { OPENAI_API_KEY: 'sk-o', GEMINI_API_KEY: 'g', MISTRAL_API_KEY: '' },
      appDirectory: join(directory, 'nowhere'),
    });
    expect([...config.providers.keys()]).toEqual(['openai', 'gemini', 'mock']);
    expect(config.source).toBe('the environment');
  });

  it('reads config.json of the app directory, and relative plugin paths start there', () => {
    writeFileSync(join(directory, 'config.json'), '\uFEFF{"providers": {"ollama": {}}}');
    const config = loadConfig({ catalogue, environment: { OPENAI_API_KEY: 'sk-o' }, appDirectory: directory });
    expect([...config.providers.keys()]).toEqual(['ollama', 'mock']);
    expect(config.directory).toBe(directory);
  });

  it('wants a file that was named to be there', () => {
    const problems = problemsOf({}, { path: join(directory, 'none.json'), text: undefined as never });
    expect(problems).toEqual(['there is no such file']);
    expect(problemsOf({}, { path: directory, text: undefined as never })[0]).toContain('this is a directory');
  });
});
