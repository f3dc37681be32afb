/** Types that authors rely on. Checked by `tsc`; the expectations have no effect when run. */
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import { definePlugin } from './index.ts';
import type { hookNames } from './index.ts';
import type {
  HookContext,
  HookHandlers,
  HookName,
  HookReads,
  HttpRequest,
  Json,
  JsonObject,
  LLMRequest,
} from './index.ts';

expectTypeOf<(typeof hookNames)[number]>().toEqualTypeOf<keyof HookHandlers>();
expectTypeOf<HookName>().toEqualTypeOf<keyof HookReads>();

const configSchema = z.object({ greeting: z.string().default('hello'), limit: z.number().optional() });

export const typed = definePlugin({
  name: 'typed',
  configSchema,
  init(context) {
    expectTypeOf(context.config).toEqualTypeOf<{ greeting: string; limit?: number | undefined }>();
  },
  preRequestHook(context, request) {
    expectTypeOf(context.config.greeting).toEqualTypeOf<string>();
    expectTypeOf(request).toEqualTypeOf<LLMRequest>();
    return { model: `${context.config.greeting}/x` };
  },
  preLLMHook: {
    reads: 'messages',
    order: 'pre',
    filter: { model: ['gpt-*'], sampling: 0.5 },
    onError: { disableAfter: 3 },
    when: (config) => config.greeting !== '',
    handler(context, request) {
      expectTypeOf(context.config.limit).toEqualTypeOf<number | undefined>();
      return request.conversation === undefined
        ? undefined
        : { conversation: { ...request.conversation, temperature: 0 } };
    },
  },
  async httpTransportPreHook(context, request) {
    expectTypeOf(request).toEqualTypeOf<HttpRequest>();
    await Promise.resolve();
    context.setValue('seen', true);
    expectTypeOf(context.getValue('seen')).toEqualTypeOf<Json | undefined>();
  },
});

export const untyped = definePlugin({
  name: 'untyped',
  inject(context, trace) {
    expectTypeOf(context).toEqualTypeOf<HookContext<JsonObject>>();
    expectTypeOf(trace.latencyMs).toEqualTypeOf<number>();
  },
});

// @ts-expect-error a misspelt hook is a type error
export const misspelt = definePlugin({ name: 'x', preLlmHook() {} });

// @ts-expect-error a wrong result is a type error
export const wrongResult = definePlugin({ name: 'x', preRequestHook: () => ({ model: 7 }) });

// @ts-expect-error nothing is known of the model before routing
export const earlyModel = definePlugin({ name: 'x', httpTransportPreHook: { filter: { model: 'a' }, handler() {} } });

// @ts-expect-error an observer cannot deny
export const denyingObserver = definePlugin({ name: 'x', inject: { onError: 'deny', handler() {} } });

export const writesInput = definePlugin({
  name: 'x',
  preRequestHook(_context, request) {
    // @ts-expect-error inputs are read-only
    request.model = 'other';
  },
});
