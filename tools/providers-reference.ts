import type { ProviderDefinition } from '../core/src/index.ts';
import type { DialectQuirks } from '../core/src/dialects/codec.ts';
import { providerDefinitions } from '../core/src/providers/definitions.ts';
import { formatTable } from './markdown-table.ts';

const code = (text: string): string => `\`${text}\``;
const codes = (texts: readonly string[]): string => texts.map(code).join(', ');

function authText({ auth, isKeyless }: ProviderDefinition): string {
  const header = code(`${auth.header}: ${auth.prefix ?? ''}KEY`);
  return isKeyless === true ? `${header}, if there is a key` : header;
}

type QuirkTexts = { readonly [Name in keyof DialectQuirks]-?: (value: NonNullable<DialectQuirks[Name]>) => string };

const quirkTexts: QuirkTexts = {
  maxTokensField: (name) => `the limit of tokens is sent as ${code(name)}`,
  reasoningField: (name) => `reasoning text is in ${code(name)}`,
  reasoningRequest: (name) =>
    name === 'none' ? 'reasoning cannot be asked for' : `reasoning is asked for by ${code(name)}`,
  unsupportedFields: (names) => `not sent, and reported: ${codes(names)}`,
  extraFields: (names) => `taken beside the dialect's own: ${codes(names)}`,
  noDeveloperRole: () => `the role ${code('developer')} is sent as ${code('system')}`,
  noStreamOptions: () => `${code('stream_options')} is not sent`,
  noDoneMarker: () => `a stream may end without ${code('[DONE]')}`,
  toolCallIdPattern: (pattern) => `tool-call ids are mapped to ${code(pattern)} and back`,
};

function describeQuirks(quirks: DialectQuirks): readonly string[] {
  return Object.entries(quirks).map(([name, value]) =>
    (quirkTexts[name as keyof DialectQuirks] as (given: unknown) => string)(value),
  );
}

function describeProvider(definition: ProviderDefinition): string {
  const { name, surfaces, embeddingsPath, embeddingsDialect, countTokensPath, modelsPath } = definition;
  const paths = surfaces.map(({ dialect, path }) => [code(dialect), code(path)]);
  if (embeddingsPath !== undefined) paths.push([`embeddings (${embeddingsDialect ?? 'openai'})`, code(embeddingsPath)]);
  if (countTokensPath !== undefined) paths.push(['token counts', code(countTokensPath)]);
  if (modelsPath !== undefined) paths.push(['models', code(modelsPath)]);
  const quirks = new Set(surfaces.flatMap((surface) => describeQuirks(surface.quirks ?? {})));
  const facts = [...quirks].map((text) => `- ${text}`);
  const { defaultHeaders = {}, forwardedHeaders = [] } = definition;
  for (const [header, value] of Object.entries(defaultHeaders))
    facts.push(`- sent with every call: ${code(`${header}: ${value}`)}`);
  if (forwardedHeaders.length > 0) facts.push(`- passed on from the caller: ${codes(forwardedHeaders)}`);
  return [
    `### ${name}`,
    formatTable(['what', 'path below the base URL'], paths),
    ...(facts.length === 0 ? [] : [facts.join('\n')]),
  ].join('\n\n');
}

/** `docs/reference/providers.md`. */
export function formatProvidersReference(): string {
  const all = [...providerDefinitions.values()];
  const remote = all.filter((definition) => definition.isEmbedded !== true);
  const embedded = all.filter((definition) => definition.isEmbedded === true).map(({ name }) => code(name));
  const rows = remote.map((definition) => [
    `[${definition.name}](#${definition.name})`,
    code(definition.baseUrl),
    authText(definition),
    codes(definition.surfaces.map(({ dialect }) => dialect)),
  ]);
  return `# Providers

Generated from the provider definitions of \`core\` by \`node tools/write-references.ts\`.

A provider is configured under its name in \`providers\` ([configuration](configuration.md)); \`network_config.base_url\` replaces the
base URL. A request in one of the provider's own dialects goes through as it came; any other is translated to the first dialect of
its row. ${embedded.join(', ')} is embedded: it needs no key and no configuration and answers \`mock/<anything>\` in process. Any other
server that speaks one of these dialects is a custom provider, based on one of these.

${formatTable(['provider', 'base URL', 'credential', 'dialects, in order of preference'], rows)}

## Paths and deviations

${remote.map(describeProvider).join('\n\n')}
`;
}
