/**
 * Credentials, models and marks, in AssemblyScript.
 *
 * Config: {"credentials": {"short": "long"}, "deniedModel": "...", "stamp": "...", "footer": "..."}
 */
import {
  Answer,
  answer,
  getValue,
  Input,
  Json,
  Level,
  log,
  Operation,
  quote,
  readInput,
  setValue,
  sharedAdd,
} from '../../../../sdk/wasm/assembly/bifrost-plugin';

export { bifrost_abi_1, bifrost_alloc, bifrost_free } from '../../../../sdk/wasm/assembly/bifrost-plugin';

export function bifrost_call(operation: i32, pointer: usize, length: i32): usize {
  return answer(call(operation, readInput(pointer)));
}

const description = `{
  "name": "wasm-assemblyscript", "version": "1.0.0", "api": "1.1", "redactConfig": true,
  "hooks": {
    "httpTransportPreAuthHook": {},
    "httpTransportPreHook": { "reads": "body", "filter": { "header": "x-upper" } },
    "preLLMHook": {},
    "streamEventHook": {},
    "httpTransportPostHook": { "reads": "body" },
    "inject": {}
  }
}`;

let credentials: Json = Json.none;
let deniedModel: string = '';
let stamp: string = '';
let footer: string = '';

function init(config: Json): Answer | null {
  credentials = config.get('credentials');
  deniedModel = config.get('deniedModel').text;
  stamp = config.get('stamp').text;
  footer = config.get('footer').text;
  if (config.get('deniedModel').isPresent && !config.get('deniedModel').isText) {
    return Answer.failed('`deniedModel` must be a text');
  }
  return null;
}

/** Gives a caller of a short name the key behind it. */
function translateCredential(request: Json): Answer | null {
  const given = request.get('headers').get('authorization').text;
  const key = credentials.get(given.replace('Bearer ', ''));
  if (!key.isText) return null;
  setValue('translated', 'true');
  return new Answer('{"request":{"headers":{"authorization":' + quote('Bearer ' + key.text) + '}}}');
}

/** Sends the body on in capitals. */
function raiseBody(input: Input): Answer | null {
  if (input.attachments.length == 0) return null;
  return new Answer('{"request":{"body":{"$bytes":0}}}').with(String.UTF8.encode(input.text(0).toUpperCase()));
}

function checkModel(request: Json): Answer | null {
  const model = request.get('model').text;
  if (deniedModel == '' || model != deniedModel) return null;
  sharedAdd('denied');
  return new Answer(
    '{"error":{"statusCode":403,"code":"model_denied","origin":"plugin","allowFallbacks":false,"message":' +
      quote('The model "' + model + '" is not for you.') +
      '}}',
  );
}

/** Puts the stamp before the first text of each part. */
function stampEvent(event: Json): Answer | null {
  if (stamp == '' || !event.get('type').is('text-start')) return null;
  const delta = '{"type":"text-delta","part":' + event.get('part').raw + ',"text":' + quote(stamp) + '}';
  return new Answer('[' + event.raw + ',' + delta + ']');
}

function addFooter(input: Input): Answer | null {
  if (footer == '' || input.attachments.length == 0) return null;
  return new Answer('{"headers":{"x-footer":"added"},"body":{"$bytes":0}}').with(
    String.UTF8.encode(input.text(0) + footer),
  );
}

function report(trace: Json): Answer | null {
  const isTranslated = getValue('translated').raw == 'true';
  log(Level.info, 'status ' + trace.get('statusCode').raw + (isTranslated ? ', credential translated' : ''));
  return null;
}

function call(operation: i32, input: Input): Answer | null {
  const value = input.json.get('input');
  switch (operation) {
    case Operation.describe:
      return new Answer(description);
    case Operation.init:
      return init(input.json.get('config'));
    case Operation.redactConfig:
      return new Answer('{"deniedModel":' + quote(input.json.get('deniedModel').text) + ',"credentials":"***"}');
    case Operation.httpTransportPreAuthHook:
      return translateCredential(value);
    case Operation.httpTransportPreHook:
      return raiseBody(input);
    case Operation.preLLMHook:
      return checkModel(value);
    case Operation.streamEventHook:
      return stampEvent(value);
    case Operation.httpTransportPostHook:
      return addFooter(input);
    case Operation.inject:
      return report(value);
    default:
      return null;
  }
}
