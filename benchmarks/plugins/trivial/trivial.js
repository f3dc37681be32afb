/** As little as a plugin can do: one hook that is shown 0.4 KB and answers nothing, one that is shown little and sets a header. */
export default {
  name: 'trivial',
  preLLMHook: { reads: 'messages', handler: () => undefined },
  httpTransportResponseHeadersHook: () => ({ headers: { 'x-trivial': 'yes' } }),
};
