import { applyHeaderChanges } from './client-writer.ts';
import type { RequestRun } from './run.ts';

type ClientHeaders = Record<string, string | readonly string[]>;

/** Answers with a body that is held whole, after the plugins that look at whole answers. */
export function respondWhole(
  run: RequestRun,
  statusCode: number,
  headers: ClientHeaders,
  body: Uint8Array,
): void | Promise<void> {
  const needs = run.needs.httpPost;
  if (run.plugins === null || needs === undefined) {
    send(run, statusCode, headers, body);
    return undefined;
  }
  const outcome = run.plugins.httpPost({ statusCode, headers, ...(needs === 'head' ? {} : { body }) });
  const apply = (change: Awaited<typeof outcome>): void => {
    // What the chain makes of a denial wears no dialect.
    if (run.plugins?.denial !== undefined) {
      run.writer.deny(run.plugins.denial);
      return;
    }
    const changed = change?.body === undefined ? body : Buffer.from(change.body as Uint8Array);
    send(run, change?.statusCode ?? statusCode, applyHeaderChanges(headers, change?.headers), changed);
  };
  if (outcome instanceof Promise) return outcome.then(apply);
  apply(outcome);
  return undefined;
}

function send(run: RequestRun, statusCode: number, headers: ClientHeaders, body: Uint8Array): void {
  run.writer.begin(statusCode, { ...headers, 'content-length': String(body.length) });
  run.writer.end(body);
}
