/** Has hooks for requests that do not come: what it costs is what a plugin costs that has nothing to do. */
import { definePlugin } from '@bifrost/sdk';

const filter = { path: '/other/*' } as const;

export default definePlugin({
  name: 'never-matches',
  preRequestHook: { filter, handler: () => undefined },
  httpTransportResponseHeadersHook: { filter, handler: () => undefined },
});
