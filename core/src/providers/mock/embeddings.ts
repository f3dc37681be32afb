import { createHash } from 'node:crypto';
import type { EmbeddingRequest, EmbeddingResponse } from '@bifrost/sdk';
import { countWords } from './response.ts';

const defaultDimensions = 16;
const maxDimensions = 4096;

/** The mock's embeddings: unit vectors made of a hash of each input, the same for the same input. Usage counts words or tokens. */
export function mockEmbeddings(request: EmbeddingRequest): EmbeddingResponse {
  const dimensions = Math.max(1, Math.min(Math.trunc(request.dimensions ?? defaultDimensions), maxDimensions));
  const inputTokens = request.inputs
    .map((input) => (typeof input === 'string' ? countWords(input) : input.length))
    .reduce((sum, count) => sum + count, 0);
  return {
    model: request.model,
    embeddings: request.inputs.map((input) => unitVector(JSON.stringify(input), dimensions)),
    usage: { inputTokens, totalTokens: inputTokens },
  };
}

function unitVector(text: string, dimensions: number): readonly number[] {
  const bytes = createHash('shake256', { outputLength: dimensions * 2 })
    .update(text)
    .digest();
  const raw = Array.from({ length: dimensions }, (_, index) => bytes.readInt16LE(index * 2) + 0.5);
  const length = Math.hypot(...raw);
  return raw.map((value) => value / length);
}
