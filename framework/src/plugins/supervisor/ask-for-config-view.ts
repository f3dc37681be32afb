import type { JsonObject } from '@bifrost/sdk';
import { configViewFailed } from '../config-view.ts';
import type { LoadMaker } from './load-maker.ts';
import type { SlotChanges } from './slot-changes.ts';
import type { ConfigQuestion, ThreadGroup } from './thread-group.ts';

export interface ConfigViewSources {
  readonly group: ThreadGroup;
  readonly changes: SlotChanges;
  readonly maker: LoadMaker;
}

/**
 * What the plugin itself makes of a config: what is stored, or shown, of it. Undefined where it has no such function. Rejects with
 * PluginError where it has one that fails, or cannot be asked.
 */
export async function askForConfigView(
  { group, changes, maker }: ConfigViewSources,
  question: ConfigQuestion,
): Promise<JsonObject | undefined> {
  const { plugin, view, config } = question;
  // What is stored is asked of the version that is on its way: it is stored before anybody is served with it.
  const onItsWay = view === 'marshalConfigForStorage' ? changes.loadUnderWay(plugin) : undefined;
  const load = onItsWay ?? changes.find(plugin)?.load;
  const said = onItsWay?.description;
  const hasView = said === undefined ? maker.hasConfigView(plugin, view) : said.configViews?.includes(view) === true;
  if (load === undefined || !hasView) return undefined;
  if (!load.isServing || load.isAway) throw configViewFailed(plugin, view, 'cannot be asked: it does not serve');
  return load.remote === undefined ? group.viewConfig(load.load, question) : load.remote.viewConfig(view, config);
}
