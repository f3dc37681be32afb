import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { pluginFolder } from './__tests__/plugin-folder.ts';

/** A serving thread in small: a host, the guard, one request, then a ping that shows that the thread still lives. */
const threadSource = `
  const { parentPort, workerData } = require('node:worker_threads');
  (async () => {
    const { createPluginHost, containPluginFailures } = await import(workerData.plugins);
    const lines = [];
    const write = (level) => (message) => void lines.push(level + ' ' + message);
    const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
    containPluginFailures();
    const host = createPluginHost({ logger, baseDirectory: workerData.folder });
    const generation = await host.load([{ name: 'leaky', path: './leaky.ts', enabled: true }]);
    const facts = { requestId: 'r', requestType: 'chat_completion', method: 'POST', path: '/', isStream: false };
    const run = generation.chains?.open(facts, {}, new AbortController().signal);
    const outcome = run?.preRequest({ model: 'm', isStream: false, fallbacks: [] });
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (workerData.own) Promise.reject(new Error('of the gateway'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    parentPort.postMessage({ outcome, lines, status: host.status() });
  })();`;

interface Report {
  readonly outcome: unknown;
  readonly lines: readonly string[];
  readonly status: readonly { readonly state: string; readonly message?: string }[];
}

async function runInThread(leak: string, own = false): Promise<Report | Error> {
  using folder = pluginFolder({ 'leaky.ts': leak });
  const plugins = new URL('./index.ts', import.meta.url).href;
  const worker = new Worker(threadSource, { eval: true, workerData: { plugins, folder: folder.path, own } });
  try {
    return await new Promise<Report | Error>((resolve) => {
      worker.once('message', resolve);
      worker.once('error', resolve);
    });
  } finally {
    await worker.terminate();
  }
}

const hook = (body: string): string => `export const preRequestHook = () => { ${body}; return { model: 'fine' }; };`;

describe('what a plugin leaves running and fails', () => {
  it.each([
    ['a floating promise', hook(`Promise.reject(new Error('floating'))`), 'floating'],
    ['a floating promise that rejects with a text', hook(`Promise.reject('words')`), 'words'],
    ['an async call nobody awaits', hook(`(async () => { await null; throw new Error('async'); })()`), 'async'],
    ['a timer', hook(`setTimeout(() => { throw new Error('timer'); }, 5)`), 'timer'],
    ['a microtask', hook(`queueMicrotask(() => { throw new Error('microtask'); })`), 'microtask'],
    [
      'an event handler',
      hook(
        `setImmediate(() => new EventTarget().dispatchEvent(new Event('x'))); setTimeout(() => Promise.reject(new Error('event')), 1)`,
      ),
      'event',
    ],
    [
      'a timer of init',
      `export const init = () => { setTimeout(() => { throw new Error('init timer'); }, 5); }; ${hook('')}`,
      'init timer',
    ],
    ['a timer of its module', `setTimeout(() => { throw new Error('module timer'); }, 5); ${hook('')}`, 'module timer'],
  ])('%s ends neither the request nor the thread, and is charged to the plugin', async (_what, leak, message) => {
    const report = await runInThread(leak);
    if (report instanceof Error) throw report;
    expect(report.outcome).toEqual({ model: 'fine' });
    expect(report.lines).toContainEqual(
      expect.stringMatching(`^error plugin leaky: work that it left running failed: .*${message}`),
    );
    expect(report.status).toMatchObject([{ state: 'degraded', message: expect.stringContaining(message) }]);
  });

  it('leaves failures of the gateway itself as deadly as they were', async () => {
    const report = await runInThread(hook(''), true);
    expect(report).toMatchObject({ message: 'of the gateway' });
  });
});
