//! `bifrost_plugin.h` in Rust: the structs as they lie in memory, and what makes them safe to use.

use std::ffi::{c_void, CStr, CString};
use std::os::raw::c_char;
use std::ptr;
use std::slice;

pub const ABI: u32 = 1 << 16;

pub const OK: i32 = 0;
pub const FAILED: i32 = 1;
pub const BAD_CONFIG: i32 = 2;
pub const BAD_INPUT: i32 = 3;
pub const PANICKED: i32 = 4;

pub const PRE_REQUEST: u32 = 2;
pub const PRE_LLM: u32 = 3;
pub const STREAM_EVENT: u32 = 5;
pub const RESPONSE_HEADERS: u32 = 6;
pub const HTTP_POST: u32 = 8;
pub const INJECT: u32 = 13;
/// Not hooks: called without a plugin and without a host, where the description has them.
#[allow(dead_code)] // This plugin has none of them.
pub const MARSHAL_CONFIG_FOR_STORAGE: u32 = 100;
#[allow(dead_code)]
pub const REDACT_CONFIG: u32 = 101;

#[repr(C)]
pub struct Bytes {
    data: *const u8,
    length: usize,
}

#[repr(C)]
pub struct Host {
    size: u32,
    abi: u32,
    log: extern "C" fn(*const Host, i32, *const c_char, *const c_char),
    request: extern "C" fn(*const Host, *const c_char) -> *const c_char,
}

#[derive(Clone, Copy)]
pub enum Level {
    Info = 1,
}

impl Host {
    /// Only valid while a function of the plugin runs, and on its thread: `&Host` cannot leave either.
    pub fn log(&self, level: Level, message: &str, fields: Option<&str>) {
        let message = CString::new(message).unwrap_or_default();
        let fields = fields.and_then(|text| CString::new(text).ok());
        let fields_pointer = fields.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        (self.log)(self, level as i32, message.as_ptr(), fields_pointer);
    }

    /// The host's answer; None when the thread is being ended.
    pub fn request(&self, json: &str) -> Option<String> {
        let json = CString::new(json).ok()?;
        let reply = (self.request)(self, json.as_ptr());
        if reply.is_null() {
            return None;
        }
        // The host ends its answers with a NUL and keeps them until the next request.
        Some(unsafe { CStr::from_ptr(reply) }.to_string_lossy().into_owned())
    }
}

#[repr(C)]
pub struct Call {
    size: u32,
    pub hook: u32,
    host: *const Host,
    json: *const c_char,
    json_length: usize,
    attachments: *const Bytes,
    attachment_count: usize,
}

impl Call {
    pub fn host(&self) -> &Host {
        unsafe { &*self.host }
    }

    pub fn json(&self) -> &str {
        let bytes = unsafe { slice::from_raw_parts(self.json as *const u8, self.json_length) };
        std::str::from_utf8(bytes).unwrap_or("")
    }

    pub fn attachment(&self, index: usize) -> Option<&[u8]> {
        if index >= self.attachment_count {
            return None;
        }
        let bytes = unsafe { &*self.attachments.add(index) };
        if bytes.length == 0 {
            return Some(&[]);
        }
        Some(unsafe { slice::from_raw_parts(bytes.data, bytes.length) })
    }
}

#[repr(C)]
pub struct Output {
    size: u32,
    reserved: u32,
    json: *const c_char,
    attachments: *const Bytes,
    attachment_count: usize,
    owner: *mut c_void,
}

/// What an output points to, kept alive until `free`.
struct Owned {
    json: Option<CString>,
    body: Option<Vec<u8>>,
    attachment: Bytes,
}

impl Output {
    /// Puts a result, or the message of a failure, into the output; with `body`, the JSON names it as `{"$bytes": 0}`.
    pub fn set(&mut self, json: Option<String>, body: Option<Vec<u8>>) {
        if json.is_none() && body.is_none() {
            return;
        }
        let mut owned = Box::new(Owned {
            json: json.and_then(|text| CString::new(text).ok()),
            body,
            attachment: Bytes { data: ptr::null(), length: 0 },
        });
        self.json = owned.json.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        if let Some(body) = &owned.body {
            owned.attachment = Bytes { data: body.as_ptr(), length: body.len() };
            self.attachments = &owned.attachment;
            self.attachment_count = 1;
        }
        self.owner = Box::into_raw(owned) as *mut c_void;
    }

    pub fn free(&mut self) {
        if !self.owner.is_null() {
            drop(unsafe { Box::from_raw(self.owner as *mut Owned) });
            self.owner = ptr::null_mut();
        }
    }
}
