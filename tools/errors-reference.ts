import type { ErrorEntry } from '../sdk/src/index.ts';
import { errorCatalogues } from './error-catalogues.ts';

function statusText(status: ErrorEntry['status']): string {
  if (status === 'none') return "No HTTP status: it stands in the log or in the program's last message.";
  return status === 'various' ? "The status is the plugin's." : `Status ${status}.`;
}

const introduction = `# Error codes

Generated from the catalogues in the source (\`error-codes.ts\` of each package) by \`node tools/write-references.ts\`.

An error that the gateway makes has a code of this page; an error of a provider keeps the provider's own code and message. The body
wears the shape of the route that was asked: on \`/v1/*\` \`{"is_bifrost_error", "status_code", "error": {"type", "code", "message",
"param"}, "extra_fields"}\`, on \`/openai/*\`, \`/anthropic/*\` and \`/genai/*\` what the SDK of that name reads. Anthropic's and Gemini's
shapes have no place for a code: there the message says it all. After a stream has begun, an error is the dialect's error event at
its end.`;

/** `docs/reference/errors.md`. */
export function formatErrorsReference(): string {
  const sections = errorCatalogues.map(({ title, catalogue }) => {
    const entries = Object.entries(catalogue).toSorted(([left], [right]) => (left < right ? -1 : 1));
    const texts = entries.map(
      ([code, { status, cause, remedy }]) => `### \`${code}\`\n\n${statusText(status)} ${cause} ${remedy}`,
    );
    return `## ${title}\n\n${texts.join('\n\n')}`;
  });
  return `${[introduction, ...sections].join('\n\n')}\n`;
}
