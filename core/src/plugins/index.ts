/** What runs beside a plugin, in whatever thread or process it is loaded: without the engine, which nothing there needs. */
export { LocalSharedState, sharedStateFull } from './local-shared-state.ts';
export { messageOf, notePlaceOfThrow, placeOfThrow } from './hook-failure.ts';
export { isThenable, settleWithin } from './settle-within.ts';
export type { Settled } from './settle-within.ts';
export { RequestContext } from './request-context.ts';
export type { ContextOwner } from './request-context.ts';
export type * from './instance.ts';
