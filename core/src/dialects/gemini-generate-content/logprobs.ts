import type { JsonObject, TokenLogprob } from '@bifrost/sdk';
import type { FieldReader } from './fields.ts';

function decodeToken(reader: FieldReader): { readonly token: string; readonly logprob: number } {
  return { token: reader.string('token') ?? '', logprob: reader.number('logProbability') ?? 0 };
}

/** Reads `logprobsResult`: the chosen tokens, each with the likeliest ones at its place. */
export function decodeLogprobs(result: FieldReader): readonly TokenLogprob[] {
  const top = result.children('topCandidates') ?? [];
  return (result.children('chosenCandidates') ?? []).map((chosen, index) => {
    const others = top[index]?.children('candidates')?.map(decodeToken);
    return { ...decodeToken(chosen), ...(others === undefined ? {} : { top: others }) };
  });
}

/** Writes `logprobsResult`. Token ids are not known here. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[]): JsonObject {
  const hasTop = logprobs.some((one) => one.top !== undefined);
  return {
    chosenCandidates: logprobs.map(({ token, logprob }) => ({ token, logProbability: logprob })),
    ...(hasTop
      ? {
          topCandidates: logprobs.map(({ top }) => ({
            candidates: (top ?? []).map(({ token, logprob }) => ({ token, logProbability: logprob })),
          })),
        }
      : {}),
  };
}
