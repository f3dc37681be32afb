/** Fields of a log line come from plugins too: what they hold may be anything, and a line must cost nobody more than itself. */

function plainValue(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null)
    return value;
  try {
    const text = JSON.stringify(value, (_name, inner: unknown) =>
      typeof inner === 'bigint' ? String(inner) : inner,
    ) as string | undefined;
    return text === undefined ? `(${typeof value})` : (JSON.parse(text) as unknown);
  } catch {
    return '(cannot be written)'; // a cycle, a getter that throws
  }
}

/** The fields as plain JSON, with a word in the place of what is none. */
export function plainFields(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const plain: Record<string, unknown> = {};
  try {
    for (const [name, value] of Object.entries(fields)) plain[name] = plainValue(value);
  } catch {
    plain['fields'] = '(cannot be read)'; // a proxy
  }
  return plain;
}

/** What a line says itself: a field of such a name would be read in its place. */
const ownNames = ['level', 'time', 'msg'];

/** The fields, with those renamed that would forge what the line says itself. */
export function withoutOwnNames(
  fields: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> {
  if (fields === undefined) return {};
  if (!ownNames.some((name) => Object.hasOwn(fields, name))) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [ownNames.includes(name) ? `field_${name}` : name, value]),
  );
}
