import type { KeyConfig } from '../config.ts';
import { makerNumber } from '../reliability/state-makers.ts';
import type { AttemptFailure } from './attempt.ts';
import type { AttemptPlan } from './attempt-plan.ts';
import type { Target } from './resolve-model.ts';
import type { RequestRun } from './run.ts';
import { continuedNames, GivenNames, storedNames } from './state-names.ts';

/**
 * The key that made what the request continues, as far as it is remembered and may serve it. Undefined: any key may be asked, and one
 * that knows nothing of it says so (`foreign-state`).
 */
export function rememberedMaker(run: RequestRun, target: Target, keys: readonly KeyConfig[]): KeyConfig | undefined {
  if (keys.length < 2) return undefined;
  const provider = target.runtime.name;
  for (const name of namesOf(run)) {
    const maker = run.services.stateMakers.find(name);
    if (maker === undefined) continue;
    const key = keys.find(({ id }) => makerNumber(provider, id) === maker);
    if (key !== undefined) return key;
  }
  return undefined;
}

/** Of a good answer: remembers what it names, and what its request continued, as its key's. Undefined where that is of no use. */
export function rememberNames(run: RequestRun, plan: AttemptPlan): GivenNames | undefined {
  const { config, name } = plan.runtime;
  if (config.keys.length < 2 || plan.surface.dialect !== 'openai-responses') return undefined;
  const { stateMakers } = run.services;
  const maker = makerNumber(name, plan.key.id);
  for (const continued of namesOf(run)) stateMakers.note(continued, maker);
  return new GivenNames((given) => stateMakers.note(given, maker));
}

const noNames: readonly string[] = [];

function namesOf(run: RequestRun): readonly string[] {
  if (run.request.route.dialect !== 'openai-responses') return noNames;
  return (run.continued ??= run.stored === null ? continuedNames(run.body) : storedNames(run.stored));
}

/** No key of the provider knows what the request continues; what a provider says of one of them alone would mislead. */
export function unknownState(failure: AttemptFailure, target: Target, keyCount: number): AttemptFailure {
  if (keyCount < 2) return failure;
  const { info } = failure;
  const { name } = target.runtime;
  const message = `none of the ${keyCount} keys of the provider ${name} has what this request continues (previous_response_id, conversation, stored items or encrypted_content): the key that made it is not configured any more, another provider made it, or it was not kept; send the conversation whole, without them. The last answer: ${info.message}`;
  return { class: failure.class, info: { ...info, message } };
}
