import { isJsonObject } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';

/** One model as a provider lists it. */
export interface ListedModel {
  /** As the provider is asked for it. */
  readonly id: string;
  readonly displayName?: string;
  /** Unix seconds. */
  readonly created?: number;
  readonly ownedBy?: string;
}

function createdOf(entry: JsonObject): number | undefined {
  if (typeof entry['created'] === 'number') return entry['created'];
  const text = entry['created_at'];
  const milliseconds = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}

function toModel(entry: unknown): ListedModel[] {
  if (!isJsonObject(entry)) return [];
  const name = typeof entry['name'] === 'string' ? entry['name'] : undefined;
  const id = typeof entry['id'] === 'string' ? entry['id'] : name?.replace(/^models\//, '');
  if (id === undefined || id === '') return [];
  const displayName = entry['display_name'] ?? entry['displayName'];
  const created = createdOf(entry);
  const ownedBy = entry['owned_by'] ?? entry['organization'];
  return [
    {
      id,
      ...(typeof displayName === 'string' ? { displayName } : {}),
      ...(created === undefined ? {} : { created }),
      ...(typeof ownedBy === 'string' ? { ownedBy } : {}),
    },
  ];
}

/**
 * The models of a provider's list, in the shapes in use: OpenAI's and Anthropic's `{data: [{id}]}`, Gemini's
 * `{models: [{name: "models/..."}]}`, a bare array (Together). Undefined for anything else.
 */
export function parseModelList(value: unknown): readonly ListedModel[] | undefined {
  if (Array.isArray(value)) return value.flatMap(toModel);
  if (!isJsonObject(value)) return undefined;
  const list = value['data'] ?? value['models'];
  return Array.isArray(list) ? list.flatMap(toModel) : undefined;
}
