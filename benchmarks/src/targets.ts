/** The gateways under measurement: how each is configured, started and spoken to. Their files go to a temporary folder. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startPinned, untilAnswers, type Measured } from './processes.ts';

export const upstreamPort = 18_100;
const root = resolve(import.meta.dirname, '../..');

export interface Target {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What to put in `model`. */
  readonly model: string;
  /** Path that answers once it serves. */
  readonly readyPath: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const json = { 'content-type': 'application/json', authorization: 'Bearer sk-bench' };

/** nginx as a gateway, and (with `answers`) as an upstream that costs next to nothing. */
export function nginxConfig(folder: string, port: number, answers?: string): string {
  const location =
    answers === undefined
      ? `location / { proxy_pass http://upstream_provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }`
      : `location / { default_type application/json; return 200 '${answers.replaceAll("'", "\\'")}'; }`;
  const upstream =
    answers === undefined
      ? `upstream upstream_provider { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000; }`
      : '';
  const path = join(folder, `nginx-${port}.conf`);
  writeFileSync(
    path,
    `daemon off; user root; worker_processes 1; pid ${folder}/nginx-${port}.pid; error_log ${folder}/nginx-${port}.log crit;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; client_max_body_size 0; client_body_buffer_size 16k;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u;
  scgi_temp_path ${folder}/s; ${upstream}
  server { listen 127.0.0.1:${port} backlog=4096; location = /health { return 200 'ok'; } ${location} }
}`,
  );
  return path;
}

/** Our gateway with the named plugins of `benchmarks/plugins`; one that is named again is loaded again. */
export function ours(folder: string, name: string, port: number, ...plugins: readonly string[]): Target {
  const config = join(folder, `bifrost-${port}.json`);
  const entry = plugins.map((plugin, index) => ({
    name: index === 0 ? plugin : `${plugin}-${index + 1}`,
    enabled: true,
    path: join(root, `benchmarks/plugins/${plugin}.ts`),
  }));
  const key = { name: 'bench', value: 'sk-bench-upstream', models: ['*'], weight: 1 };
  const network = { base_url: `http://127.0.0.1:${upstreamPort}` };
  writeFileSync(
    config,
    JSON.stringify({ providers: { openai: { keys: [key], network_config: network } }, plugins: entry }),
  );
  return {
    name,
    port,
    path: '/openai/v1/chat/completions',
    headers: json,
    model: 'bench-model',
    readyPath: '/health/ready',
    command: [
      join(root, 'node_modules/.bin/node'),
      join(root, 'tmp/bundle/main.js'),
      '-config',
      config,
      '-port',
      String(port),
      '-threads',
      '1',
      '-log-level',
      'error',
      '-app-dir',
      folder,
    ],
  };
}

/** All targets: the limit of the machine, the limit of Node, ours in four rows, a peer. */
export function createTargets(folder: string): readonly Target[] {
  mkdirSync(folder, { recursive: true });
  return [
    {
      name: 'nginx proxy_pass',
      port: 18_101,
      path: '/v1/chat/completions',
      headers: json,
      model: 'bench-model',
      readyPath: '/health',
      command: ['/usr/sbin/nginx', '-c', nginxConfig(folder, 18_101)],
    },
    {
      name: 'bare Node proxy',
      port: 18_102,
      path: '/v1/chat/completions',
      headers: json,
      model: 'bench-model',
      readyPath: '/',
      command: [
        join(root, 'node_modules/.bin/node'),
        join(root, 'benchmarks/src/bare-proxy.ts'),
        '18102',
        String(upstreamPort),
      ],
    },
    ours(folder, 'Bifrost, no plugin', 18_110),
    ours(folder, 'Bifrost, plugin reads head', 18_111, 'reads-head'),
    ours(folder, 'Bifrost, plugin reads messages', 18_112, 'reads-messages'),
    ours(folder, 'Bifrost, plugin changes messages', 18_113, 'changes-messages'),
    {
      name: 'Portkey 1.15.2',
      port: 18_120,
      path: '/v1/chat/completions',
      headers: {
        ...json,
        'x-portkey-provider': 'openai',
        'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
      },
      model: 'bench-model',
      readyPath: '/',
      command: [
        join(root, 'node_modules/.bin/node'),
        join(root, 'benchmarks/peers/node_modules/@portkey-ai/gateway/build/start-server.js'),
        '--port=18120',
        '--headless',
      ],
      environment: { NODE_ENV: 'production' },
    },
  ];
}

/** Straight to the upstream: what the load itself costs. */
export const direct: Target = {
  name: 'direct (no gateway)',
  port: upstreamPort,
  path: '/v1/chat/completions',
  headers: json,
  model: 'bench-model',
  readyPath: '/',
  command: [],
};

/** Starts a target on the gateway's core; returns it with the milliseconds until it served. */
export async function startTarget(
  target: Target,
  core: number,
): Promise<{ readonly process: Measured; readonly readyMs: number }> {
  const measured = startPinned(core, target.command, target.environment);
  const readyMs = await untilAnswers(`http://127.0.0.1:${target.port}${target.readyPath}`);
  return { process: measured, readyMs };
}
