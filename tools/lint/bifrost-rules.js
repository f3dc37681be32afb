// Local lint rules: the house's layers (docs/architecture.md) and "shared code never tests a provider's name".
import { dirname, relative, resolve, sep } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** Folder -> package it holds, and the workspace packages that its source may import. */
export const layers = [
  { folder: 'sdk', name: '@bifrost/sdk', mayImport: [] },
  { folder: 'core', name: '@bifrost/core', mayImport: ['@bifrost/sdk'] },
  { folder: 'framework', name: '@bifrost/framework', mayImport: ['@bifrost/sdk', '@bifrost/core'] },
  { folder: 'plugins', name: undefined, mayImport: ['@bifrost/sdk'] },
  { folder: 'examples/plugins', name: undefined, mayImport: ['@bifrost/sdk'] },
  { folder: 'examples/embedding', name: undefined, mayImport: ['@bifrost/sdk', '@bifrost/core'] },
  { folder: 'testkit', name: '@bifrost/testkit', mayImport: ['@bifrost/sdk', '@bifrost/core'] },
  {
    folder: 'cli',
    name: '@bifrost/cli',
    mayImport: ['@bifrost/sdk', '@bifrost/core', '@bifrost/framework', '@bifrost/testkit'],
  },
  {
    folder: 'transports/http',
    name: '@bifrost/http',
    mayImport: ['@bifrost/sdk', '@bifrost/core', '@bifrost/framework', '@bifrost/plugin-*'],
  },
];

const isTest = (path) => {
  const inside = relative(root, path).split(sep).join('/');
  return /\.(test|test-d|bench|examples)\.ts$/.test(inside) || /(^|\/)(e2e|__tests__)\//.test(inside);
};
const layerOf = (path) => layers.find((layer) => relative(root, path).startsWith(layer.folder + sep));

/** `*` at the end stands for any rest. */
const isNamed = (target, name) => (name.endsWith('*') ? target.startsWith(name.slice(0, -1)) : target === name);

/** Why `importer` may not import `specifier`, or undefined when it may. */
export function layeringViolation(importer, specifier) {
  const from = layerOf(importer);
  if (from === undefined || isTest(importer)) return undefined;
  const match = /^(@bifrost\/[a-z-]+)(\/|$)/.exec(specifier);
  if (match !== null) {
    const target = match[1];
    if (target === from.name || from.mayImport.some((name) => isNamed(target, name))) return undefined;
    return `${from.folder}/ may not import ${target}; it may import: ${from.mayImport.join(', ') || 'nothing'}`;
  }
  if (!specifier.startsWith('.')) return undefined;
  const target = resolve(dirname(importer), specifier);
  const to = layerOf(target);
  if (to === undefined || to.folder !== from.folder) return `a relative import may not leave ${from.folder}/`;
  const provider = /core[\\/]src[\\/]providers[\\/]([^\\/]+)[\\/]/;
  const [own, other] = [provider.exec(importer)?.[1], provider.exec(target)?.[1]];
  if (own !== undefined && other !== undefined && own !== other) {
    return `a provider may not import another provider (${own} imports ${other})`;
  }
  return undefined;
}

const providerNames = new Set([
  'openai',
  'anthropic',
  'gemini',
  'groq',
  'mistral',
  'deepseek',
  'xai',
  'openrouter',
  'together',
  'cerebras',
  'perplexity',
  'ollama',
  'vllm',
  'sgl',
  'lmstudio',
  'alibaba',
  'zai',
  'huggingface',
  'azure',
  'bedrock',
  'vertex',
  'cohere',
]);

/** True for `x === 'groq'` and the like, in a file that is neither a provider nor a dialect codec. */
export function isSharedCode(path) {
  const inside = relative(root, path).split(sep).join('/');
  if (isTest(path)) return false;
  return /^(sdk|core|framework|transports)\//.test(inside) && !/\/(providers|dialects)\//.test(inside);
}

const layering = {
  create(context) {
    const check = (node) => {
      const specifier = node.source?.value;
      if (typeof specifier !== 'string') return;
      const message = layeringViolation(context.filename, specifier);
      if (message !== undefined) context.report({ node, message });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    };
  },
};

const noProviderName = {
  create(context) {
    if (!isSharedCode(context.filename)) return {};
    const report = (node) =>
      context.report({
        node,
        message: 'shared code never tests a provider name: declare the quirk as data on the provider',
      });
    return {
      BinaryExpression(node) {
        if (!['===', '!==', '==', '!='].includes(node.operator)) return;
        if ([node.left, node.right].some((side) => side.type === 'Literal' && providerNames.has(side.value)))
          report(node);
      },
      SwitchCase(node) {
        if (node.test?.type === 'Literal' && providerNames.has(node.test.value)) report(node);
      },
    };
  },
};

export default {
  meta: { name: 'bifrost' },
  rules: { layering, 'no-provider-name-in-shared-code': noProviderName },
};
