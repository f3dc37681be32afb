/** Greets every answer with a header, and refuses models that the configuration forbids. */
import { Answer, answer, Input, Json, Level, log, Operation, quote, readInput } from './bifrost-plugin';

export { bifrost_abi_1, bifrost_alloc, bifrost_free } from './bifrost-plugin';

export function bifrost_call(operation: i32, pointer: usize, length: i32): usize {
  return answer(call(operation, readInput(pointer)));
}

// Name and version are the manifest's. The options of a hook: `{ "reads": "messages" }` shows the conversation, for example.
const description = `{
  "hooks": { "preLLMHook": {}, "httpTransportResponseHeadersHook": {}, "inject": {} }
}`;

let greeting: string = 'Hello';
let forbidden: Json = Json.none;

/** `configSchema` in bifrost-plugin.json has checked the configuration before. */
function init(config: Json): Answer | null {
  if (config.get('greeting').isText) greeting = config.get('greeting').text;
  forbidden = config.get('forbiddenModels');
  log(Level.info, 'greets with "' + greeting + '"');
  return null;
}

/** A refusal is a result: it has a status for the client, and does not count as an error of the plugin. */
function refuse(request: Json): Answer | null {
  const model = request.get('model').text;
  const list = forbidden.items();
  for (let at = 0; at < list.length; at++) {
    if (list[at].text != model) continue;
    const message = quote('The model "' + model + '" is forbidden here.');
    return new Answer(
      '{"error":{"statusCode":403,"code":"model_forbidden","origin":"plugin","allowFallbacks":false,"message":' + message + '}}',
    );
  }
  return null;
}

function call(operation: i32, input: Input): Answer | null {
  const value = input.json.get('input');
  switch (operation) {
    case Operation.describe:
      return new Answer(description);
    case Operation.init:
      return init(input.json.get('config'));
    case Operation.preLLMHook:
      return refuse(value);
    case Operation.httpTransportResponseHeadersHook:
      return new Answer('{"headers":{"x-__NAME__":' + quote(greeting) + '}}');
    case Operation.inject:
      log(Level.info, 'the answer is out, status ' + value.get('statusCode').raw);
      return null;
    default:
      return null;
  }
}
