import type { KeyConfig } from '@bifrost/core';
import { unusedKeyKeys } from './key-schema.ts';
import type { KeyFile } from './key-schema.ts';
import type { ProviderContext } from './resolve-provider.ts';

/** `''` and `/v1` at the end of a base URL would double what the provider's paths begin with. */
export function trimBaseUrl(url: string, surfacePaths: readonly string[]): string {
  const trimmed = url.replace(/\/+$/, '');
  const isDoubled = trimmed.endsWith('/v1') && surfacePaths.some((path) => path.startsWith('/v1/'));
  return isDoubled ? trimmed.slice(0, -3) : trimmed;
}

function resolveAliases(file: KeyFile, context: ProviderContext): Record<string, string> {
  const aliases: Record<string, string> = {};
  const seen = new Map<string, string>();
  for (const [name, target] of Object.entries(file.aliases ?? {})) {
    const earlier = seen.get(name.toLowerCase());
    if (earlier !== undefined) {
      context.problem(['aliases', name], `differs from the alias ${JSON.stringify(earlier)} only in case; keep one`);
    }
    seen.set(name.toLowerCase(), name);
    aliases[name] = typeof target === 'string' ? target : target.model_id;
  }
  return aliases;
}

/** One key with its defaults; problems go to the context, whose path is the key's. */
export function resolveKey(file: KeyFile, index: number, context: ProviderContext): KeyConfig {
  const { definition } = context;
  const name = file.name ?? `${context.provider}-key-${index + 1}`;
  const server = [file.vllm_key_config, file.ollama_key_config, file.sgl_key_config, file.lmstudio_key_config];
  const url = server.find((entry) => entry !== undefined)?.url;
  if ((file.value ?? '').trim() === '' && !context.isKeyless && url === undefined && file.enabled !== false) {
    context.problem(['value'], 'is missing; expected the key itself or a reference such as "env.MY_KEY"');
  }
  for (const key of unusedKeyKeys) if (file[key as keyof KeyFile] !== undefined) context.unused(['keys', index, key]);
  const models = file.models ?? ['*'];
  return {
    id: file.id ?? name,
    name,
    value: file.value?.trim() ?? '',
    models: models.length === 0 && context.version === 1 ? ['*'] : models,
    blacklistedModels: file.blacklisted_models ?? [],
    weight: file.weight ?? 1,
    aliases: resolveAliases(file, context),
    isEnabled: file.enabled ?? true,
    ...(url === undefined
      ? {}
      : {
          baseUrl: trimBaseUrl(
            url,
            definition.surfaces.map(({ path }) => path),
          ),
        }),
  };
}
