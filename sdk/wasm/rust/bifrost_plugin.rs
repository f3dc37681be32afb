//! Guest side of the WebAssembly ABI `bifrost-plugin/1` for Rust: docs/plugins/wasm-abi.md describes it.
//!
//! One file without dependencies: `#[path = ".../bifrost_plugin.rs"] mod bifrost_plugin;`, a function
//! `fn call(operation: Operation, input: &Input) -> Answer`, and `bifrost_plugin!(call);`. JSON is looked at where it lies: a
//! `Json` is a piece of the input's text, and `get` finds a piece of a piece.
#![allow(dead_code)]

use std::borrow::Cow;
use std::fmt::Write;

/// What the gateway asks for; numbers as in the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Describe,
    Init,
    Cleanup,
    MarshalConfigForStorage,
    RedactConfig,
    HttpTransportPreAuthHook,
    HttpTransportPreHook,
    PreRequestHook,
    PreLlmHook,
    PostLlmHook,
    StreamEventHook,
    HttpTransportResponseHeadersHook,
    HttpTransportStreamChunkHook,
    HttpTransportPostHook,
    PreMcpHook,
    PostMcpHook,
    PreMcpConnectionHook,
    PostMcpConnectionHook,
    Inject,
    /// One of a newer gateway.
    Unknown(u32),
}

impl Operation {
    fn of(number: u32) -> Operation {
        use Operation::*;
        match number {
            0 => Describe,
            1 => Init,
            2 => Cleanup,
            3 => MarshalConfigForStorage,
            4 => RedactConfig,
            16 => HttpTransportPreAuthHook,
            17 => HttpTransportPreHook,
            18 => PreRequestHook,
            19 => PreLlmHook,
            20 => PostLlmHook,
            21 => StreamEventHook,
            22 => HttpTransportResponseHeadersHook,
            23 => HttpTransportStreamChunkHook,
            24 => HttpTransportPostHook,
            25 => PreMcpHook,
            26 => PostMcpHook,
            27 => PreMcpConnectionHook,
            28 => PostMcpConnectionHook,
            29 => Inject,
            other => Unknown(other),
        }
    }
}

/// The input of one call: JSON, and bytes beside it that the JSON refers to as `{"$bytes": n}`.
pub struct Input<'a> {
    pub json: Json<'a>,
    pub attachments: Vec<&'a [u8]>,
}

/// What a call answers.
pub enum Answer {
    /// Nothing is changed.
    Unchanged,
    /// The hook's result as JSON.
    Json(String),
    /// The same, with bytes that the JSON refers to as `{"$bytes": n}`.
    WithBytes(String, Vec<Vec<u8>>),
    /// The call failed: what its policy says happens, the message stands in the gateway's log.
    Failed(String),
}

/// A value of the gateway's JSON, as its text. Its form is not checked.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a>(pub &'a str);

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn value_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = string_end(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b',' | b' ' | b'\n' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at].is_ascii_whitespace() {
        at += 1;
    }
    at
}

impl<'a> Json<'a> {
    /// The value of an object's member.
    pub fn get(self, name: &str) -> Option<Json<'a>> {
        self.members().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The value at a path of members: `at("input.headers.x-team")`.
    pub fn at(self, path: &str) -> Option<Json<'a>> {
        path.split('.').try_fold(self, |value, name| value.get(name))
    }

    /// Members of an object, with their names as they are written.
    pub fn members(self) -> impl Iterator<Item = (&'a str, Json<'a>)> {
        let (text, bytes) = (self.0, self.0.as_bytes());
        let begin = skip_space(bytes, 0);
        let mut at = if bytes.get(begin) == Some(&b'{') { skip_space(bytes, begin + 1) } else { bytes.len() };
        std::iter::from_fn(move || {
            if bytes.get(at) != Some(&b'"') {
                return None;
            }
            let key_end = string_end(bytes, at);
            let key = &text[at + 1..key_end - 1];
            let start = skip_space(bytes, skip_space(bytes, key_end) + 1);
            let end = value_end(bytes, start);
            at = skip_space(bytes, end);
            if bytes.get(at) == Some(&b',') {
                at = skip_space(bytes, at + 1);
            }
            Some((key, Json(&text[start..end])))
        })
    }

    /// Items of an array.
    pub fn items(self) -> impl Iterator<Item = Json<'a>> {
        let (text, bytes) = (self.0, self.0.as_bytes());
        let begin = skip_space(bytes, 0);
        let mut at = if bytes.get(begin) == Some(&b'[') { skip_space(bytes, begin + 1) } else { bytes.len() };
        std::iter::from_fn(move || {
            if at >= bytes.len() || bytes[at] == b']' {
                return None;
            }
            let end = value_end(bytes, at);
            let item = Json(&text[at..end]);
            at = skip_space(bytes, end);
            if bytes.get(at) == Some(&b',') {
                at = skip_space(bytes, at + 1);
            }
            Some(item)
        })
    }

    /// A string without its quotes and escapes.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        let mut units: Vec<u16> = Vec::new();
        let mut characters = inner.chars();
        while let Some(character) = characters.next() {
            if character != '\\' {
                units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
                continue;
            }
            units.push(match characters.next()? {
                'n' => 10,
                't' => 9,
                'r' => 13,
                'b' => 8,
                'f' => 12,
                'u' => {
                    let rest = characters.as_str();
                    let unit = u16::from_str_radix(rest.get(..4)?, 16).ok()?;
                    characters = rest[4..].chars();
                    unit
                }
                other => other as u16,
            });
        }
        Some(Cow::Owned(String::from_utf16_lossy(&units)))
    }

    pub fn number(self) -> Option<f64> {
        self.0.parse().ok()
    }

    pub fn boolean(self) -> Option<bool> {
        self.0.parse().ok()
    }
}

/// `text` as a JSON string, with quotes and escapes.
pub fn quote(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            control if (control as u32) < 0x20 => {
                let _ = write!(json, "\\u{:04x}", control as u32);
            }
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

/// What the gateway gives to a plugin.
pub mod host {
    #[link(wasm_import_module = "bifrost")]
    extern "C" {
        #[link_name = "log"]
        fn import_log(level: i32, message: *const u8, length: usize);
        #[link_name = "now"]
        fn import_now() -> f64;
        #[link_name = "random"]
        fn import_random(buffer: *mut u8, length: usize);
        #[link_name = "is_aborted"]
        fn import_is_aborted() -> i32;
        fn state_get(key: *const u8, key_length: usize, buffer: *mut u8, capacity: usize) -> i32;
        fn state_set(key: *const u8, key_length: usize, json: *const u8, length: usize) -> i32;
        fn value_get(key: *const u8, key_length: usize, buffer: *mut u8, capacity: usize) -> i32;
        fn value_set(key: *const u8, key_length: usize, json: *const u8, length: usize) -> i32;
        #[link_name = "shared_add"]
        fn import_shared_add(key: *const u8, key_length: usize, by: f64) -> f64;
        fn shared_get(key: *const u8, key_length: usize, buffer: *mut u8, capacity: usize) -> i32;
        #[link_name = "shared_set"]
        fn import_shared_set(key: *const u8, key_length: usize, json: *const u8, length: usize) -> i32;
        fn model_info(model: *const u8, model_length: usize, buffer: *mut u8, capacity: usize) -> i32;
        #[link_name = "cost"]
        fn import_cost(usage: *const u8, length: usize) -> f64;
        fn trace_set(key: *const u8, key_length: usize, json: *const u8, length: usize) -> i32;
        #[link_name = "routing_note"]
        fn import_routing_note(note: *const u8, length: usize);
    }

    #[derive(Clone, Copy)]
    pub enum Level {
        Debug,
        Info,
        Warn,
        Error,
    }

    type Getter = unsafe extern "C" fn(*const u8, usize, *mut u8, usize) -> i32;

    fn get(getter: Getter, key: &str) -> Option<String> {
        let mut buffer = vec![0u8; 256];
        loop {
            let length = unsafe { getter(key.as_ptr(), key.len(), buffer.as_mut_ptr(), buffer.len()) };
            let length = usize::try_from(length).ok()?;
            if length <= buffer.len() {
                buffer.truncate(length);
                return String::from_utf8(buffer).ok();
            }
            buffer.resize(length, 0);
        }
    }

    pub fn log(level: Level, message: &str) {
        unsafe { import_log(level as i32, message.as_ptr(), message.len()) }
    }

    /// Milliseconds since 1970.
    pub fn now() -> f64 {
        unsafe { import_now() }
    }

    /// Fills `bytes` with random ones, fit for keys.
    pub fn random(bytes: &mut [u8]) {
        unsafe { import_random(bytes.as_mut_ptr(), bytes.len()) }
    }

    /// The client has gone, or the hook's deadline has passed.
    pub fn is_aborted() -> bool {
        unsafe { import_is_aborted() != 0 }
    }

    /// What this plugin has set for this request, as JSON; other plugins do not see it.
    pub fn state(key: &str) -> Option<String> {
        get(state_get, key)
    }

    /// True where it was set.
    pub fn set_state(key: &str, json: &str) -> bool {
        unsafe { state_set(key.as_ptr(), key.len(), json.as_ptr(), json.len()) == 0 }
    }

    /// A value of this request, as JSON; other plugins see it as `plugin/key`.
    pub fn value(key: &str) -> Option<String> {
        get(value_get, key)
    }

    /// True where it was set.
    pub fn set_value(key: &str, json: &str) -> bool {
        unsafe { value_set(key.as_ptr(), key.len(), json.as_ptr(), json.len()) == 0 }
    }

    /// The counter's new value; not a number where there is no room for another counter.
    pub fn shared_add(counter: &str, by: f64) -> f64 {
        unsafe { import_shared_add(counter.as_ptr(), counter.len(), by) }
    }

    pub fn shared(key: &str) -> Option<String> {
        get(shared_get, key)
    }

    /// An empty text removes the value.
    pub fn set_shared(key: &str, json: &str) -> bool {
        unsafe { import_shared_set(key.as_ptr(), key.len(), json.as_ptr(), json.len()) == 0 }
    }

    /// What the catalogue knows of `provider/model`, or of this request's model where it is empty; as JSON.
    pub fn model(name: &str) -> Option<String> {
        get(model_info, name)
    }

    /// Nano-dollars; `None` where the price is unknown.
    pub fn cost(usage: &str) -> Option<f64> {
        let cost = unsafe { import_cost(usage.as_ptr(), usage.len()) };
        if cost.is_nan() { None } else { Some(cost) }
    }

    pub fn set_trace_attribute(key: &str, json: &str) -> bool {
        unsafe { trace_set(key.as_ptr(), key.len(), json.as_ptr(), json.len()) == 0 }
    }

    pub fn add_routing_note(note: &str) {
        unsafe { import_routing_note(note.as_ptr(), note.len()) }
    }
}

/// What `bifrost_plugin!` exports; not for plugins.
pub mod border {
    use super::{Answer, Input, Json, Operation};

    pub fn alloc(size: usize) -> *mut u8 {
        let mut bytes: Vec<u8> = Vec::new();
        if bytes.try_reserve_exact(size).is_err() {
            return std::ptr::null_mut();
        }
        let pointer = bytes.as_mut_ptr();
        std::mem::forget(bytes);
        pointer
    }

    /// `pointer` and `size` are those of one `alloc`.
    pub unsafe fn free(pointer: *mut u8, size: usize) {
        drop(Vec::from_raw_parts(pointer, 0, size));
    }

    fn word(frame: &[u8], at: usize) -> usize {
        u32::from_le_bytes([frame[at], frame[at + 1], frame[at + 2], frame[at + 3]]) as usize
    }

    fn write_frame(status: u32, json: &str, attachments: &[Vec<u8>]) -> Vec<u8> {
        let mut frame = Vec::with_capacity(12 + json.len() + attachments.iter().map(|part| part.len() + 4).sum::<usize>());
        frame.extend_from_slice(&status.to_le_bytes());
        frame.extend_from_slice(&(json.len() as u32).to_le_bytes());
        frame.extend_from_slice(&(attachments.len() as u32).to_le_bytes());
        for part in attachments {
            frame.extend_from_slice(&(part.len() as u32).to_le_bytes());
        }
        frame.extend_from_slice(json.as_bytes());
        for part in attachments {
            frame.extend_from_slice(part);
        }
        frame
    }

    /// The frame that the host reads: it lasts until the next call.
    static mut OUTPUT: Vec<u8> = Vec::new();

    pub unsafe fn call(handler: fn(Operation, &Input) -> Answer, operation: u32, frame: *const u8, length: usize) -> *const u8 {
        let frame = std::slice::from_raw_parts(frame, length);
        let count = word(frame, 8);
        let start = 12 + 4 * count;
        let mut end = start + word(frame, 4);
        let json = Json(std::str::from_utf8_unchecked(&frame[start..end]));
        let mut attachments = Vec::with_capacity(count);
        for index in 0..count {
            let length = word(frame, 12 + 4 * index);
            attachments.push(&frame[end..end + length]);
            end += length;
        }
        let output = match handler(Operation::of(operation), &Input { json, attachments }) {
            Answer::Unchanged => return std::ptr::null(),
            Answer::Json(json) => write_frame(0, &json, &[]),
            Answer::WithBytes(json, attachments) => write_frame(0, &json, &attachments),
            Answer::Failed(message) => write_frame(1, &message, &[]),
        };
        OUTPUT = output;
        OUTPUT.as_ptr()
    }
}

/// Exports what the gateway calls; `$handler` is `fn(Operation, &Input) -> Answer`.
#[macro_export]
macro_rules! bifrost_plugin {
    ($handler:path) => {
        #[no_mangle]
        pub extern "C" fn bifrost_abi_1() {}

        #[no_mangle]
        pub extern "C" fn bifrost_alloc(size: usize) -> *mut u8 {
            crate::bifrost_plugin::border::alloc(size)
        }

        #[no_mangle]
        pub unsafe extern "C" fn bifrost_free(pointer: *mut u8, size: usize) {
            crate::bifrost_plugin::border::free(pointer, size)
        }

        #[no_mangle]
        pub unsafe extern "C" fn bifrost_call(operation: u32, frame: *const u8, length: usize) -> *const u8 {
            crate::bifrost_plugin::border::call($handler, operation, frame, length)
        }
    };
}
