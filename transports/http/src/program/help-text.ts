import { flagTable } from './flag-table.ts';
import type { FlagEntry } from './flag-table.ts';

function describeFlag(entry: FlagEntry): string {
  const left = `  -${entry.name}${entry.placeholder === undefined ? '' : ` ${entry.placeholder}`}`;
  const choices = entry.choices === undefined ? '' : ` (${entry.choices.join(', ')})`;
  const lines = [`${entry.description}${choices}`];
  const facts = [
    ...(entry.shownDefault === undefined ? [] : [`default: ${entry.shownDefault}`]),
    ...(entry.variables.length === 0 ? [] : [`environment: ${entry.variables.join(', ')}`]),
  ];
  if (facts.length > 0) lines.push(facts.join('; '));
  return lines.map((line, index) => `${(index === 0 ? left : '').padEnd(24)}${line}`).join('\n');
}

/** What `-help` prints: what the program is, every flag, and how to begin. */
export function formatHelp(): string {
  return `bifrost-http: one API in front of every model provider

usage: bifrost-http [flags]          one dash or two, -flag value or -flag=value

${flagTable.map(describeFlag).join('\n')}

Flags win over environment variables.

to begin, without any key:
  bifrost-http
  curl http://localhost:8080/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model":"mock/hello","messages":[{"role":"user","content":"Hello"}]}'

with a provider's key and no file (OPENAI_API_KEY, ANTHROPIC_API_KEY, MISTRAL_API_KEY, GEMINI_API_KEY):
  OPENAI_API_KEY=... bifrost-http      then ask for "model": "openai/gpt-4o-mini"

with a file:
  bifrost-http -config config.json     where config.json is, for example
  {"providers": {"openai": {"keys": [{"value": "env.OPENAI_API_KEY", "models": ["*"]}]}}}

official SDKs, only their base URL changed:
  http://localhost:8080/openai/v1      OpenAI
  http://localhost:8080/anthropic      Anthropic
  http://localhost:8080/genai          Google GenAI

plugins, made, checked, tested and signed without a running gateway:
  bifrost-http plugin --help

exit codes: 0 after a signal, 1 the port is taken or the gateway failed, 2 a flag or the configuration is wrong
`;
}
