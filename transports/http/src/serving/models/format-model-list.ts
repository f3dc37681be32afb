import type { Surface } from '../route-table.ts';
import type { ModelEntry, ModelList } from './model-entry.ts';

/** On a drop-in route models of its own provider have their bare name, as its SDK expects. */
function nameOn(defaultProvider: string | undefined, { provider, model }: ModelEntry): string {
  return provider === defaultProvider ? model : `${provider}/${model}`;
}

function openaiModel(id: string, { created, ownedBy, provider }: ModelEntry): object {
  return { id, object: 'model', created: created ?? 0, owned_by: ownedBy ?? provider };
}

function anthropicModel(id: string, { created, displayName }: ModelEntry): { readonly id: string } {
  const createdAt = new Date((created ?? 0) * 1000).toISOString();
  const model = { type: 'model', id, display_name: displayName ?? id, created_at: createdAt };
  return model;
}

function genaiModel(id: string, { displayName }: ModelEntry): object {
  const supportedGenerationMethods = ['generateContent', 'streamGenerateContent', 'countTokens', 'embedContent'];
  return { name: `models/${id}`, displayName: displayName ?? id, supportedGenerationMethods };
}

const shapes: Readonly<Record<Surface, (list: ModelList) => object>> = {
  unified: ({ models, keyStatuses }) => ({
    object: 'list',
    data: models.map((entry) => ({
      ...openaiModel(nameOn(undefined, entry), entry),
      ...(entry.displayName === undefined ? {} : { name: entry.displayName }),
    })),
    extra_fields: { request_type: 'list_models', key_statuses: keyStatuses },
  }),
  openai: ({ models }) => ({
    object: 'list',
    data: models.map((entry) => openaiModel(nameOn('openai', entry), entry)),
  }),
  anthropic: ({ models }) => {
    const data = models.map((entry) => anthropicModel(nameOn('anthropic', entry), entry));
    return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  },
  genai: ({ models }) => ({ models: models.map((entry) => genaiModel(nameOn('gemini', entry), entry)) }),
};

/** The list in the shape of a surface. */
export function formatModelList(surface: Surface, list: ModelList): object {
  return shapes[surface](list);
}
