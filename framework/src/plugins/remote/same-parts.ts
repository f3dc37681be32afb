/** Parts of a hook's input that its result holds unchanged: named, not sent back, so that they keep their identity. */

type Members = Readonly<Record<string, unknown>>;

const members = ['conversation', 'response'] as const;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What an element of a result's list of events may be identical to. */
function eventOf(input: unknown): unknown {
  return isMembers(input) && isMembers(input['event']) ? input['event'] : input;
}

/** Replaces what `value` shares with `input` by null and says where; undefined where it shares nothing. */
export function extractSame(
  value: unknown,
  input: unknown,
): { readonly value: unknown; readonly same: readonly (string | number)[] } | undefined {
  const same: (string | number)[] = [];
  const event = eventOf(input);
  const strip = (events: readonly unknown[]): readonly unknown[] =>
    events.map((element, index) => {
      if (element !== event || typeof element !== 'object') return element;
      same.push(index);
      return null;
    });
  let stripped = value;
  if (Array.isArray(value)) stripped = strip(value);
  else if (isMembers(value)) {
    const { events } = value;
    const copy: Record<string, unknown> = { ...value };
    if (Array.isArray(events)) copy['events'] = strip(events);
    for (const member of members) {
      if (!isMembers(input) || value[member] === undefined || value[member] !== input[member]) continue;
      same.push(member);
      copy[member] = null;
    }
    stripped = copy;
  }
  return same.length === 0 ? undefined : { value: stripped, same };
}

/** Puts the parts of `input` back. Throws for positions that are none. */
export function restoreSame(value: unknown, same: readonly (string | number)[], input: unknown): unknown {
  const event = eventOf(input);
  const restoreList = (events: readonly unknown[]): readonly unknown[] => {
    const list = [...events];
    for (const index of same) if (typeof index === 'number' && index in list) list[index] = event;
    return list;
  };
  if (Array.isArray(value)) return restoreList(value);
  if (!isMembers(value)) throw new TypeError('the result of the plugin cannot be put together');
  const copy: Record<string, unknown> = { ...value };
  if (Array.isArray(copy['events'])) copy['events'] = restoreList(copy['events']);
  for (const member of members) if (same.includes(member) && isMembers(input)) copy[member] = input[member];
  return copy;
}
