import { createCustomDefinition, providerDefinitions } from '@bifrost/core/providers';
import { loadConfig } from '@bifrost/framework/config';
import type { LoadedConfig } from '@bifrost/framework/config';
import type { LogRecord } from '../logging/logger.ts';
import { startServer } from '../start-server.ts';
import type { RunningServer, StartServerOptions } from '../start-server.ts';

/** A configuration as its file would say it. */
export function testConfig(file: object = {}): LoadedConfig {
  const catalogue = { definitions: providerDefinitions, createCustom: createCustomDefinition };
  return loadConfig({ catalogue, environment: {}, text: JSON.stringify(file) });
}

export interface TestServer extends AsyncDisposable {
  readonly server: RunningServer;
  readonly url: string;
  readonly port: number;
  readonly records: readonly LogRecord[];
  /** Resolves with the first log record whose message matches. */
  logged(pattern: RegExp): Promise<LogRecord>;
}

/** A gateway in this process with an engine for tests (see fake-engine.ts) on a free port. */
export async function startTestServer(
  file: object = {},
  options: Partial<StartServerOptions> = {},
): Promise<TestServer> {
  const records: LogRecord[] = [];
  const waiting = new Set<() => void>();
  const server = await startServer({
    config: testConfig(file),
    port: 0,
    threads: 1,
    engineModule: new URL('fake-engine.ts', import.meta.url).href,
    logSink: (record) => {
      records.push(record);
      for (const check of waiting) check();
    },
    ...options,
  });
  return {
    server,
    url: server.url,
    port: server.port,
    records,
    logged: (pattern) =>
      new Promise((resolve) => {
        const check = (): void => {
          const record = records.find(({ message }) => pattern.test(message));
          if (record === undefined) return;
          waiting.delete(check);
          resolve(record);
        };
        waiting.add(check);
        check();
      }),
    [Symbol.asyncDispose]: () => server.kill(),
  };
}
