/** trivial.js in AssemblyScript, over the border that sdk/wasm/assembly has for authors. */
import { Answer, answer, Input, Operation, readInput } from '../../../../sdk/wasm/assembly/bifrost-plugin';

export { bifrost_abi_1, bifrost_alloc, bifrost_free } from '../../../../sdk/wasm/assembly/bifrost-plugin';

export function bifrost_call(operation: i32, pointer: usize, length: i32): usize {
  return answer(call(operation, readInput(pointer)));
}

const description =
  '{"name":"trivial","version":"1.0.0","api":"1.1","hooks":{"preLLMHook":{"reads":"messages"},"httpTransportResponseHeadersHook":{}}}';

function call(operation: i32, _input: Input): Answer | null {
  switch (operation) {
    case Operation.describe:
      return new Answer(description);
    case Operation.httpTransportResponseHeadersHook:
      return new Answer('{"headers":{"x-trivial":"yes"}}');
    default:
      return null;
  }
}
