/** Notes what the hooks of an instance are given and what they answer, without changing either. */
import type { PluginHooks, PluginInstance } from '@bifrost/core';
import type { HookContext, HookName, RequestFacts } from '@bifrost/sdk';
import { toPlain } from './plain-value.ts';
import type { Plain } from './plain-value.ts';

/** One call of a hook that has ended. */
export interface ObservedCall {
  readonly hook: HookName;
  readonly requestId: string;
  readonly fallbackIndex?: number;
  /** What it returned; `undefined` for "unchanged", and where it threw. */
  readonly returned: Plain;
  readonly threw?: string;
  readonly durationMs: number;
}

type Handler = (this: unknown, context: HookContext<unknown>, input: unknown) => unknown;

/** A copy of `instance` whose calls are told to `onCall`; the breaker never leaves one out. */
export function observeHooks(instance: PluginInstance, onCall: (call: ObservedCall) => void): PluginInstance {
  const hooks: Record<string, unknown> = {};
  for (const [name, declared] of Object.entries(instance.hooks) as [HookName, unknown][]) {
    // The loader has checked the shape: a function, or an object with a handler.
    const object = (typeof declared === 'function' ? { handler: declared } : declared) as { readonly handler: Handler };
    const self = typeof declared === 'function' ? instance.self : declared;
    hooks[name] = {
      ...object,
      handler: observed(name, (context, input) => object.handler.call(self, context, input), onCall),
    };
  }
  // The same members with handlers that do the same.
  return { ...instance, hooks: hooks as PluginHooks, breaker: false };
}

function observed(
  hook: HookName,
  handler: (context: HookContext<unknown>, input: unknown) => unknown,
  onCall: (call: ObservedCall) => void,
): Handler {
  return (context, input) => {
    const { requestId, fallbackIndex }: RequestFacts = context.facts;
    const startedAt = performance.now();
    const tell = (end: { readonly returned?: unknown; readonly threw?: unknown }): void => {
      const durationMs = performance.now() - startedAt;
      onCall({
        hook,
        requestId,
        returned: toPlain(end.returned),
        durationMs,
        ...(fallbackIndex === undefined ? {} : { fallbackIndex }),
        ...('threw' in end ? { threw: end.threw instanceof Error ? end.threw.message : String(end.threw) } : {}),
      });
    };
    let returned: unknown;
    try {
      returned = handler(context, input);
    } catch (threw) {
      tell({ threw });
      throw threw;
    }
    if (!(returned instanceof Promise)) {
      tell({ returned });
      return returned;
    }
    return returned.then(
      (value: unknown) => {
        tell({ returned: value });
        return value;
      },
      (threw: unknown) => {
        tell({ threw });
        throw threw;
      },
    );
  };
}
