import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { catalogue, key, load, openai, problemsOf } from './__tests__/load-file.ts';
import { loadConfig } from './load-config.ts';

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
          cpu_limit: 0.5,
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
        cpuLimit: 0.5,
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
    const folder = problemsOf({}, { path: directory, text: undefined as never });
    const meant = join(directory, 'config.json');
    expect(folder).toEqual([`this is a directory; expected a JSON file; did you mean ${meant}?`]);
    const relative = problemsOf({}, { path: 'none.json', text: undefined as never });
    expect(relative).toEqual([`there is no such file (working directory ${process.cwd()})`]);
    expect(problemsOf({}, { path: directory, text: undefined as never })[0]).toContain('this is a directory');
  });
});
