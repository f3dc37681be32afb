import { genaiActions } from '../transports/http/src/serving/genai-action.ts';
import { routeTable } from '../transports/http/src/serving/route-table.ts';
import type { RouteEntry, Surface } from '../transports/http/src/serving/route-table.ts';
import { formatTable } from './markdown-table.ts';

const titles: Readonly<Record<Surface, string>> = {
  unified: 'The gateway’s own',
  openai: 'For OpenAI’s SDKs',
  anthropic: 'For Anthropic’s SDKs',
  genai: 'For Google’s GenAI SDKs',
};

const kinds: Readonly<Record<RouteEntry['kind'], string>> = {
  inference: '',
  'genai-action': 'what the action says',
  'list-models': 'models of every configured provider; `?provider=NAME` for one',
  health: 'liveness with the version',
  'health-live': 'the process lives',
  'health-ready': '503 with reasons while it starts, drains or lacks a plugin that it needs',
  metrics: 'Prometheus text',
  admin: '',
};

function describe({ kind, inbound, what }: RouteEntry): string {
  if (inbound === undefined) return what ?? kinds[kind];
  const provider = inbound.defaultProvider;
  return `\`${inbound.requestType}\` in \`${inbound.dialect}\`${provider === undefined ? '' : `; a bare model is ${provider}'s`}`;
}

function toRow(entry: RouteEntry): readonly string[] {
  const path = entry.kind === 'genai-action' ? entry.path.replace(/\*$/, '{model}:{action}') : entry.path;
  const method = entry.method === 'GET' ? 'GET, HEAD' : entry.method;
  return [method, `\`${path}\``, describe(entry), entry.auth];
}

/** `docs/reference/routes.md`. */
export function formatRoutesReference(): string {
  const sections = (Object.keys(titles) as Surface[]).map((surface) => {
    const rows = routeTable.filter((entry) => entry.surface === surface).map(toRow);
    return `## ${titles[surface].replaceAll('’', "'")}\n\n${formatTable(['method', 'path', 'what', 'access'], rows)}`;
  });
  return `# Routes

Generated from the route table of \`transports/http\` by \`node tools/write-references.ts\`. What is not here is answered 404; a wrong
method 405 with \`Allow\`.

- **Access** \`public\` never asks for a credential. \`admin\` asks for the admin token (\`Authorization: Bearer TOKEN\`), also on
  loopback ([operating](../operating.md)). \`inference\` asks for the inference key where the
  gateway can be reached from other machines, or where the configuration wants it; on loopback Host and Origin are checked. \`client.required_headers\` holds for \`inference\` routes.
- **Model**: \`provider/model\`, split at the first slash where the prefix is a configured provider. A bare name goes to the route's own
  provider if its keys allow the model, else to the only provider whose keys do. Gemini's routes have the model in the path.
- **fallbacks**: an array of \`provider/model\` in any inference body, tried in order after the model; never sent to a provider.
- **Errors and lists** wear the shape of the section: the gateway's own, or what that SDK reads.
- **Actions** of Gemini: ${genaiActions.map((action) => `\`${action}\``).join(', ')}. \`streamGenerateContent\` answers a JSON array, or
  server-sent events with \`?alt=sse\`.

${sections.join('\n\n')}
`;
}
