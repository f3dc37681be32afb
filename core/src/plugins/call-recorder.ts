/** Hands a request's hook calls to the host, so that they can be kept and played again to another build of a plugin. */
import type { Json, PluginFailure, RequestFacts } from '@bifrost/sdk';
import type { EndedHookCall, HookCall, HookObserver } from './hook-observer.ts';
import { requestOf } from './request-context.ts';
import type { RequestContext } from './request-context.ts';

/** One hook call as it was. Structured-cloneable; input and output are the values themselves, not copies: do not change them. */
export interface RecordedCall {
  readonly facts: RequestFacts;
  readonly plugin: string;
  readonly hook: string;
  /** From 0 within the request. */
  readonly index: number;
  readonly input: unknown;
  /** What the hook returned; absent where it returned nothing, failed, or answered with a stream. */
  readonly output?: unknown;
  /** The hook answered with a stream, which is not recorded. */
  readonly isStream?: true;
  readonly failure?: PluginFailure;
  /** The values of all plugins, as `plugin/key`, and the plugin's own state, before the call. */
  readonly values: Readonly<Record<string, Json>>;
  readonly state: Readonly<Record<string, Json>>;
  readonly durationMs: number;
}

export interface CallRecorder {
  /** Asked once for each request, when it is opened. */
  wants(facts: RequestFacts): boolean;
  /** Must not throw. */
  record(call: RecordedCall): void;
}

export class RequestRecording implements HookObserver {
  readonly #recorder: CallRecorder;
  readonly #before = new WeakMap<RequestContext, Pick<RecordedCall, 'values' | 'state'>>();
  #index = 0;

  constructor(recorder: CallRecorder) {
    this.#recorder = recorder;
  }

  before({ context }: HookCall): void {
    this.#before.set(context, {
      values: Object.fromEntries(requestOf(context).values ?? []),
      state: Object.fromEntries(context.state),
    });
  }

  after({ entry, context, input, returned, failure, durationMs }: EndedHookCall): void {
    const { values = {}, state = {} } = this.#before.get(context) ?? {};
    const index = this.#index;
    this.#index += 1;
    this.#recorder.record({
      facts: requestOf(context).facts,
      plugin: entry.slot.instance.name,
      hook: entry.hook,
      index,
      input,
      ...outputOf(returned),
      ...(failure === undefined ? {} : { failure }),
      values,
      state,
      durationMs,
    });
  }
}

function outputOf(returned: unknown): Pick<RecordedCall, 'output' | 'isStream'> {
  if (returned === undefined) return {};
  if (typeof returned === 'object' && returned !== null && 'stream' in returned && returned.stream !== undefined) {
    return { isStream: true };
  }
  try {
    // Only what can be kept: a plugin in plain JavaScript may return functions and proxies.
    return { output: structuredClone(returned) };
  } catch {
    return {};
  }
}
