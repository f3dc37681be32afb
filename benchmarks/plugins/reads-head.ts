/** Looks at the head of each request and sets one header: the body's bytes are never decoded. */
import { definePlugin } from '@bifrost/sdk';

export default definePlugin({
  name: 'reads-head',
  preRequestHook(context, request) {
    context.state.set('model', request.model);
  },
  httpTransportResponseHeadersHook(context) {
    const model = context.state.get('model');
    return { headers: { 'x-reads-head': typeof model === 'string' ? model : 'none' } };
  },
});
