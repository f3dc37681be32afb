//! A guest of Bifrost's own WASM ABI in Rust: `free` takes the size, and the request's messages are changed.
//!
//! Config: {"tag": "...", "deny_model": "...", "system": "...", "refuse": true}
#![crate_type = "cdylib"]

#[path = "../../../sdk/wasm/rust/bifrost_plugin.rs"]
mod bifrost_plugin;

use bifrost_plugin::{border, quote, Json};

struct Config {
    tag: String,
    deny_model: String,
    system: String,
}

static mut CONFIG: Config = Config { tag: String::new(), deny_model: String::new(), system: String::new() };

fn config() -> &'static Config {
    // Written by `init` alone, and calls are one at a time.
    unsafe { &CONFIG }
}

#[no_mangle]
pub extern "C" fn malloc(size: usize) -> *mut u8 {
    border::alloc(size)
}

#[no_mangle]
pub unsafe extern "C" fn free(pointer: *mut u8, size: usize) {
    border::free(pointer, size)
}

unsafe fn input<'a>(pointer: *const u8, length: usize) -> Json<'a> {
    Json(std::str::from_utf8_unchecked(std::slice::from_raw_parts(pointer, length)))
}

/// `pointer << 32 | length` of a copy that the host frees.
fn packed(text: &str) -> u64 {
    let pointer = border::alloc(text.len());
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), pointer, text.len()) };
    (pointer as u64) << 32 | text.len() as u64
}

/// `object` with a member more, at its begin.
fn with(object: &str, name: &str, text: &str) -> String {
    let comma = if object.len() > 2 { "," } else { "" };
    format!("{{{}:{}{comma}{}", quote(name), quote(text), &object[1..])
}

fn context(input: Json, seen: &str) -> String {
    with(input.get("context").map_or("{}", |context| context.0), seen, &config().tag)
}

fn raw<'a>(json: Json<'a>, name: &str) -> &'a str {
    json.get(name).map_or("null", |value| value.0)
}

#[no_mangle]
pub extern "C" fn get_name() -> u64 {
    packed("Bifrost Rust Guest")
}

#[no_mangle]
pub unsafe extern "C" fn init(pointer: *const u8, length: usize) -> i32 {
    let given = input(pointer, length);
    if raw(given, "refuse") == "true" {
        return 1;
    }
    let text = |name: &str, otherwise: &str| {
        given.get(name).and_then(Json::text).map_or_else(|| otherwise.to_string(), |text| text.into_owned())
    };
    CONFIG = Config { tag: text("tag", "rust"), deny_model: text("deny_model", ""), system: text("system", "") };
    0
}

#[no_mangle]
pub unsafe extern "C" fn http_pre_hook(pointer: *const u8, length: usize) -> u64 {
    let given = input(pointer, length);
    let context = context(given, "from-http-pre");
    if given.at("request.headers.x-deny").is_some() {
        return packed(&format!(
            // {"error":"denied"}
            r#"{{"context":{context},"response":{{"status_code":403,"headers":{{"Content-Type":"application/json"}},"body":"eyJlcnJvciI6ImRlbmllZCJ9"}},"has_response":true,"error":""}}"#
        ));
    }
    let request = given.get("request").unwrap_or(Json("{}"));
    let headers = with(raw(request, "headers"), "X-Guest", &config().tag);
    packed(&format!(
        r#"{{"context":{context},"request":{{"method":{},"path":{},"query":{},"body":{},"headers":{headers}}},"has_response":false,"error":""}}"#,
        raw(request, "method"),
        raw(request, "path"),
        raw(request, "query"),
        raw(request, "body")
    ))
}

#[no_mangle]
pub unsafe extern "C" fn http_post_hook(pointer: *const u8, length: usize) -> u64 {
    packed(&format!(r#"{{"context":{},"error":""}}"#, context(input(pointer, length), "from-http-post")))
}

/// Takes chunks as base64 texts, as a sample of Bifrost's does, and passes them on as they are.
#[no_mangle]
pub unsafe extern "C" fn http_stream_chunk_hook(pointer: *const u8, length: usize) -> u64 {
    let given = input(pointer, length);
    let context = context(given, "from-chunk");
    let chunk = raw(given, "chunk");
    if !chunk.starts_with('"') {
        return packed(&format!(r#"{{"context":{context},"has_chunk":false,"skip":false,"error":"Parse error: the chunk is no text"}}"#));
    }
    packed(&format!(r#"{{"context":{context},"chunk":{chunk},"has_chunk":true,"skip":false,"error":""}}"#))
}

#[no_mangle]
pub unsafe extern "C" fn pre_hook(pointer: *const u8, length: usize) -> u64 {
    let given = input(pointer, length);
    let context = context(given, "from-pre");
    let request = given.get("request").unwrap_or(Json("{}"));
    let model = request.get("model").and_then(Json::text).unwrap_or_default();
    let Config { deny_model, system, .. } = config();
    if !deny_model.is_empty() && model == deny_model.as_str() {
        return packed(&format!(
            r#"{{"context":{context},"short_circuit":{{"error":{{"status_code":403,"allow_fallbacks":false,"error":{{"message":"denied by the guest","type":"denied"}}}}}},"has_short_circuit":true,"error":""}}"#
        ));
    }
    if model == "cached" {
        return packed(&format!(
            r#"{{"context":{context},"short_circuit":{{"response":{{"chat_response":{{"id":"cached-1","model":"cached","choices":[{{"index":0,"message":{{"role":"assistant","content":"from the guest"}},"finish_reason":"stop"}}]}}}}}},"has_short_circuit":true,"error":""}}"#
        ));
    }
    let chat = match request.get("chat_request") {
        Some(chat) if !system.is_empty() => {
            let message = format!(r#"[{{"role":"system","content":{}}},"#, quote(system));
            let messages = raw(chat, "input").replacen('[', &message, 1);
            format!(r#"{{"input":{messages},"params":{}}}"#, raw(chat, "params"))
        }
        Some(chat) => chat.0.to_string(),
        None => "null".to_string(),
    };
    packed(&format!(r#"{{"context":{context},"request":{{"chat_request":{chat}}},"has_short_circuit":false,"error":""}}"#))
}

#[no_mangle]
pub unsafe extern "C" fn post_hook(pointer: *const u8, length: usize) -> u64 {
    let given = input(pointer, length);
    packed(&format!(
        r#"{{"context":{},"response":{},"error":{},"has_error":{},"hook_error":""}}"#,
        context(given, "from-post"),
        raw(given, "response"),
        raw(given, "error"),
        raw(given, "has_error")
    ))
}

#[no_mangle]
pub extern "C" fn cleanup() -> i32 {
    0
}
