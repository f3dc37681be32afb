/** What a plugin asks for against what the operator has granted it. */
import type { PluginCapabilities } from '@bifrost/sdk';

/** What is asked for and not granted: the capability as its path, with the values that are missing. */
export interface MissingGrant {
  /** `fs.read`, `net`, `childProcess`, ... */
  readonly capability: string;
  /** Empty for those that are granted as a whole. */
  readonly values: readonly string[];
}

const switches = ['childProcess', 'workerThreads', 'native', 'sqlite'] as const;

function withoutDots(path: string): string {
  return path.replace(/^\.\//, '');
}

/** A folder, which ends in `/`, covers all below it. */
function coversPath(grant: string, wanted: string): boolean {
  const [have, want] = [withoutDots(grant), withoutDots(wanted)];
  return have === want || (have.endsWith('/') && want.startsWith(have) && !want.split('/').includes('..'));
}

/** `host` covers every port of it, `*.domain` all below the domain. */
function coversHost(grant: string, wanted: string): boolean {
  const [have, want] = [grant.toLowerCase(), wanted.toLowerCase()];
  if (have === '*' || have === want) return true;
  const [haveHost = '', havePort] = have.split(':');
  const [wantHost = '', wantPort] = want.split(':');
  if (havePort !== undefined && havePort !== wantPort) return false;
  return haveHost.startsWith('*.') ? wantHost.endsWith(haveHost.slice(1)) : haveHost === wantHost;
}

function missingValues(
  wanted: readonly string[] | undefined,
  granted: readonly string[] | undefined,
  covers: (grant: string, want: string) => boolean,
): readonly string[] {
  return (wanted ?? []).filter((want) => !(granted ?? []).some((grant) => covers(grant, want)));
}

/** What of `wanted` is not in `granted`. */
export function missingGrants(wanted: PluginCapabilities, granted: PluginCapabilities): readonly MissingGrant[] {
  const lists = [
    { capability: 'fs.read', values: missingValues(wanted.fs?.read, granted.fs?.read, coversPath) },
    { capability: 'fs.write', values: missingValues(wanted.fs?.write, granted.fs?.write, coversPath) },
    { capability: 'net', values: missingValues(wanted.net, granted.net, coversHost) },
    { capability: 'env', values: missingValues(wanted.env, granted.env, (grant, want) => grant === want) },
  ].filter(({ values }) => values.length > 0);
  const flags = switches.filter((name) => wanted[name] === true && granted[name] !== true);
  return [...lists, ...flags.map((capability) => ({ capability, values: [] }))];
}

/** The `capabilities` of an entry that would grant all that is asked for, together with what is granted already. */
function grantSnippet(missing: readonly MissingGrant[], granted: PluginCapabilities): string {
  const result: { fs?: { read?: string[]; write?: string[] }; net?: string[]; env?: string[] } & Record<
    string,
    unknown
  > = structuredClone(granted) as Record<string, unknown>;
  for (const { capability, values } of missing) {
    if (capability === 'fs.read') result.fs = { ...result.fs, read: [...(result.fs?.read ?? []), ...values] };
    else if (capability === 'fs.write') result.fs = { ...result.fs, write: [...(result.fs?.write ?? []), ...values] };
    else if (capability === 'net') result.net = [...(result.net ?? []), ...values];
    else if (capability === 'env') result.env = [...(result.env ?? []), ...values];
    else result[capability] = true;
  }
  return `"capabilities": ${JSON.stringify(result)}`;
}

/** The sentence for what is missing, with the line of the configuration that grants it; undefined when nothing is. */
export function describeMissingGrants(wanted: PluginCapabilities, granted: PluginCapabilities): string | undefined {
  const missing = missingGrants(wanted, granted);
  if (missing.length === 0) return undefined;
  const list = missing.map(({ capability, values }) =>
    values.length === 0 ? capability : `${capability} (${values.join(', ')})`,
  );
  return `it asks for ${list.join(', ')}, which is not granted: if you agree, write ${grantSnippet(missing, granted)} into its entry`;
}
