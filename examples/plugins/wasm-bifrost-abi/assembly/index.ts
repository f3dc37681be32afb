/**
 * A guest of Bifrost's own WASM ABI in AssemblyScript, with the runtime of its samples, which never frees: the gateway gives it a
 * fresh instance when its memory has grown too far.
 *
 * Config: {"tag": "...", "deny_model": "...", "recover": true, "refuse": true}
 */
import { Json, quote } from '../../../../sdk/wasm/assembly/bifrost-plugin';

let tag: string = 'assemblyscript';
let denyModel: string = '';
let recovers: bool = false;

export function malloc(size: u32): usize {
  return heap.alloc(size);
}

export function free(pointer: usize): void {
  heap.free(pointer);
}

function read(pointer: usize, length: u32): Json {
  return Json.copy(pointer, length);
}

/** The pointer in the upper half, the length in the lower. */
function packed(text: string): u64 {
  const bytes = String.UTF8.encode(text);
  return ((<u64>changetype<usize>(bytes)) << 32) | <u64>bytes.byteLength;
}

/** `object` with a member more, at its begin. */
function with_(object: Json, name: string, text: string): string {
  const raw = object.isPresent ? object.raw : '{}';
  return '{' + quote(name) + ':' + quote(text) + (raw.length > 2 ? ',' : '') + raw.substring(1);
}

function context(input: Json, seen: string): string {
  return '{"context":' + with_(input.get('context'), seen, tag);
}

export function get_name(): u64 {
  return packed('Bifrost AssemblyScript Guest');
}

export function init(pointer: usize, length: u32): i32 {
  const config = read(pointer, length);
  if (config.get('refuse').raw == 'true') return 1;
  if (config.get('tag').isText) tag = config.get('tag').text;
  denyModel = config.get('deny_model').text;
  recovers = config.get('recover').raw == 'true';
  return 0;
}

export function http_pre_hook(pointer: usize, length: u32): u64 {
  const input = read(pointer, length);
  const answer = context(input, 'from-http-pre');
  const request = input.get('request');
  const headers = request.get('headers');
  if (headers.get('x-deny').isPresent) {
    // {"error":"denied"}
    return packed(
      answer +
        ',"response":{"status_code":403,"headers":{"Content-Type":"application/json"},"body":"eyJlcnJvciI6ImRlbmllZCJ9"},"has_response":true,"error":""}',
    );
  }
  if (headers.get('x-fail').isPresent) return packed(answer + ',"has_response":false,"error":"the guest failed"}');
  return packed(
    answer +
      ',"request":{"method":' +
      request.get('method').raw +
      ',"path":' +
      request.get('path').raw +
      ',"query":{},"body":"","headers":' +
      with_(headers, 'X-Guest', tag) +
      '},"has_response":false,"error":""}',
  );
}

export function http_post_hook(pointer: usize, length: u32): u64 {
  return packed(context(read(pointer, length), 'from-http-post') + ',"error":""}');
}

/** Leaves out empty chunks, stamps the others. */
export function http_stream_chunk_hook(pointer: usize, length: u32): u64 {
  const input = read(pointer, length);
  const answer = context(input, 'from-chunk');
  const chunk = input.get('chunk');
  if (chunk.get('choices').raw == '[]')
    return packed(answer + ',"chunk":null,"has_chunk":false,"skip":true,"error":""}');
  return packed(answer + ',"chunk":' + with_(chunk, 'stamp', tag) + ',"has_chunk":true,"skip":false,"error":""}');
}

export function pre_hook(pointer: usize, length: u32): u64 {
  const input = read(pointer, length);
  const answer = context(input, 'from-pre');
  const request = input.get('request');
  const model = request.get('model').text;
  if (denyModel != '' && model == denyModel) {
    return packed(
      answer +
        ',"short_circuit":{"error":{"status_code":403,"allow_fallbacks":false,"error":{"message":"denied by the guest","type":"denied"}}},"has_short_circuit":true,"error":""}',
    );
  }
  if (model == 'cached') {
    return packed(
      answer +
        ',"short_circuit":{"response":{"chat_response":{"id":"cached-1","model":"cached","choices":[{"index":0,"message":{"role":"assistant","content":"from the guest"},"finish_reason":"stop"}]}}},"has_short_circuit":true,"error":""}',
    );
  }
  if (model == 'broken') return packed(answer + ',"has_short_circuit":false,"error":"the guest cannot judge it"}');
  return packed(answer + ',"request":null,"short_circuit":null,"has_short_circuit":false,"error":""}');
}

export function post_hook(pointer: usize, length: u32): u64 {
  const input = read(pointer, length);
  const answer = context(input, 'from-post');
  if (recovers && input.get('has_error').raw == 'true') {
    return packed(
      answer +
        ',"response":{"chat_response":{"id":"recovered-1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"recovered"},"finish_reason":"stop"}]}},"error":{},"has_error":false,"hook_error":""}',
    );
  }
  return packed(answer + ',"response":null,"error":null,"has_error":false,"hook_error":""}');
}

export function cleanup(): i32 {
  return 0;
}
