import { wrappedMarks } from '../dialects/provenance.ts';
import { codecOf } from '../dialects/registry.ts';
import type { RequestRun } from './run.ts';
import type { InboundRoute } from './seam.ts';

const marks = wrappedMarks.map((mark) => Buffer.from(mark));

/**
 * True where the request holds values of another provider that the gateway wrapped for the client (signatures, tool-call ids): as
 * bytes they would reach a provider that refuses them, so such a request is decoded, which unwraps them, and encoded, which
 * restores the receiver's own and drops the others. A search of the bytes: a text that looks alike costs a translation, no more.
 */
export function holdsWrappedValues(run: RequestRun): boolean {
  return (run.hasWrappedValues ??= search(run));
}

function search(run: RequestRun): boolean {
  const { clientCodec, request, stored } = run;
  if (request.route.operation === 'embeddings') return false;
  if (stored !== null) return stored.scanned.hasMarks;
  const { body } = run;
  for (const mark of marks) if (body.includes(mark)) return true;
  return clientCodec.clientMarks?.some((mark) => body.includes(mark)) ?? false;
}

/** What a body on a route is searched for, where it is read as it goes by. */
export function marksOf({ operation, dialect }: InboundRoute): readonly Buffer[] {
  if (operation === 'embeddings') return [];
  return [...marks, ...(codecOf(dialect).clientMarks ?? []).map((mark) => Buffer.from(mark))];
}
