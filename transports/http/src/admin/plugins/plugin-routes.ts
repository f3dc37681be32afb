/** The routes below `/api/plugins`. Who calls them has shown the admin credential. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import type { ManagedPlugin, PluginPlace } from '@bifrost/framework/plugin-manager';
import { uploadRoute } from '../upload-route.ts';
import type { ConfigViews } from './config-views.ts';
import type { PluginAdmin } from './plugin-admin.ts';
import { formatFigures } from './figures-view.ts';
import { formatPlugin } from './plugin-view.ts';
import { parseTrialRequest } from './trial-request.ts';
import { formatTrial } from './trial-view.ts';
import { parseUpload, takeUpload } from './upload-desk.ts';

export interface PluginRoutesOptions {
  readonly admin: PluginAdmin;
  /** Names of the plugins that come with the gateway. */
  readonly builtins: readonly string[];
  /** Where artefacts are kept that are no files of the operator's: `<app-dir>/plugins`. */
  readonly pluginDirectory: string;
  readonly views: ConfigViews;
}

interface NameParams {
  readonly name: string;
}

function objectOf(request: FastifyRequest): JsonObject {
  const body: unknown = request.body;
  if (isJsonObject(body)) return body;
  throw new GatewayError('the body must be a JSON object', { code: 'BF_ADMIN_INVALID', statusCode: 400 });
}

function placesOf(request: FastifyRequest): readonly PluginPlace[] {
  const body: unknown = request.body;
  const list: unknown = isJsonObject(body) ? body['plugins'] : body;
  const isRight = Array.isArray(list) && list.length > 0 && list.every(isPlace);
  if (isRight) return list as readonly PluginPlace[];
  throw new GatewayError(
    'expected a list of plugins with their places: [{"name": "a", "placement": "pre_builtin", "order": 1}]',
    { code: 'BF_ADMIN_INVALID', statusCode: 400 },
  );
}

function isPlace(value: unknown): value is PluginPlace {
  if (!isJsonObject(value) || typeof value['name'] !== 'string') return false;
  const { placement, order } = value;
  const isPlacement = placement === undefined || placement === 'pre_builtin' || placement === 'post_builtin';
  const members = Object.keys(value).every((key) => ['name', 'placement', 'order'].includes(key));
  return members && isPlacement && (order === undefined || Number.isInteger(order));
}

/** Shows a plugin as the API does, with what of its config may be shown. */
type Show = (plugin: ManagedPlugin) => Promise<object>;

function nameIn(request: FastifyRequest): string {
  return (request.params as NameParams).name;
}

/** A candidate beside a plugin: begun, looked at, put in its place or taken away. */
function addTrialRoutes(app: FastifyInstance, admin: PluginAdmin, shown: Show): void {
  app.post('/api/plugins/:name/canary', async (request, reply) => {
    const trial = await admin.beginTrial(nameIn(request), parseTrialRequest(objectOf(request)));
    return reply.code(201).send(formatTrial(trial));
  });
  app.get('/api/plugins/:name/canary', async (request) => formatTrial(await admin.trial(nameIn(request))));
  app.post('/api/plugins/:name/canary/promote', async (request) => {
    const plugin = await admin.promoteTrial(nameIn(request));
    return { message: 'Candidate promoted successfully', plugin: await shown(plugin) };
  });
  app.delete('/api/plugins/:name/canary', async (request) => {
    await admin.abortTrial(nameIn(request));
    return { message: 'Candidate removed successfully' };
  });
}

/** Adds the routes to `app`. */
export function addPluginRoutes(app: FastifyInstance, options: PluginRoutesOptions): void {
  const { admin, builtins, pluginDirectory, views } = options;
  /** Without an entry of its own (a candidate) a plugin's config stays out. */
  const shown: Show = async (plugin) => {
    const config = admin.fileOf(plugin.name)?.['config'];
    return formatPlugin(plugin, isJsonObject(config) ? await views.shown(plugin.name, config) : {});
  };
  const allShown = (plugins: readonly ManagedPlugin[]): Promise<readonly object[]> => Promise.all(plugins.map(shown));

  app.get('/api/plugins', async () => {
    const plugins = await admin.list();
    return { plugins: await allShown(plugins), count: plugins.length };
  });
  app.get('/api/plugins/builtins', () => ({ plugins: builtins, count: builtins.length }));
  app.get('/api/plugins/loaded', async () => {
    const loaded = (await admin.list()).filter(({ state }) => state === 'active' || state === 'degraded');
    return { plugins: loaded.map(({ name }) => name), count: loaded.length };
  });
  app.get('/api/plugins/:name', async (request) => shown(await admin.get(nameIn(request))));
  app.post('/api/plugins', async (request, reply) => {
    const plugin = await admin.create(objectOf(request));
    return reply.code(201).send({ message: 'Plugin created successfully', plugin: await shown(plugin) });
  });
  app.put('/api/plugins/:name', async (request) => {
    const plugin = await admin.update(nameIn(request), objectOf(request));
    return { message: 'Plugin updated successfully', plugin: await shown(plugin) };
  });
  app.delete('/api/plugins/:name', async (request) => {
    await admin.remove(nameIn(request));
    return { message: 'Plugin deleted successfully' };
  });
  app.post('/api/plugins/:name/reload', async (request) => {
    const plugin = await admin.reload(nameIn(request));
    const message = plugin.entry.enabled ? 'Plugin reloaded successfully' : 'Plugin is disabled: nothing was loaded';
    return { message, plugin: await shown(plugin) };
  });
  app.get('/api/plugins/:name/figures', async (request) => {
    const plugin = await admin.get(nameIn(request));
    return formatFigures(plugin, await admin.totals());
  });
  addTrialRoutes(app, admin, shown);
  app.put('/api/plugins/sequence', async (request) => {
    const plugins = await admin.setSequence(placesOf(request));
    return { plugins: await allShown(plugins), count: plugins.length };
  });
  app.post(uploadRoute, async (request, reply) => {
    const { plugin, isNew } = await takeUpload(parseUpload(request.query, request.body), { admin, pluginDirectory });
    return reply.code(isNew ? 201 : 200).send({ message: 'Plugin uploaded successfully', plugin: await shown(plugin) });
  });
}
