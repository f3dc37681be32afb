import type { Attempt } from './attempt.ts';

/** Somebody hears of the usage, and the answer has one. */
export function isUsageRead({ run }: Attempt): boolean {
  return run.request.route.operation !== 'count-tokens' && (run.services.onTrace !== undefined || run.plugins !== null);
}
