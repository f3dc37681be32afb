import { carriedFiles } from '../../framework/src/realms/index.ts';
import { templates } from '../../cli/src/plugin/templates.ts';

/** Paths in the repository of what the program reads while it runs: templates of plugins, and what a plugin carries of the sdk. */
export function listCarriedFiles(): readonly string[] {
  const ofSdk = templates.flatMap(({ sdkFiles }) => Object.keys(sdkFiles).map((path) => `sdk/${path}`));
  return [...new Set([...carriedFiles('cli/templates'), ...ofSdk])].toSorted();
}
