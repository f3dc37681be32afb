//! trivial.js as a Rust cdylib, over the border of examples/plugins/native-rust.

#[path = "../../../../examples/plugins/native-rust/src/abi.rs"]
#[allow(dead_code)]
mod abi;

use abi::{Call, Host, Output};
use std::ffi::c_void;
use std::os::raw::c_char;

const DESCRIPTION: &str = "{\"name\": \"trivial\", \"version\": \"1.0.0\", \"api\": \"1.1\", \"hooks\": {\
    \"preLLMHook\": {\"reads\": \"messages\"}, \"httpTransportResponseHeadersHook\": {}}}\0";

#[no_mangle]
pub extern "C" fn bifrost_plugin_abi() -> u32 {
    abi::ABI
}

#[no_mangle]
pub extern "C" fn bifrost_plugin_describe() -> *const c_char {
    DESCRIPTION.as_ptr() as *const c_char
}

/// # Safety
/// As `bifrost_plugin.h` says.
#[no_mangle]
pub unsafe extern "C" fn bifrost_plugin_create(_call: *const Call, made: *mut *mut c_void, _output: *mut Output) -> i32 {
    *made = Box::into_raw(Box::new(0u8)) as *mut c_void;
    abi::OK
}

/// # Safety
/// As `bifrost_plugin.h` says.
#[no_mangle]
pub unsafe extern "C" fn bifrost_plugin_call(_plugin: *mut c_void, call: *const Call, output: *mut Output) -> i32 {
    if (*call).hook == abi::RESPONSE_HEADERS {
        (*output).set(Some("{\"headers\":{\"x-trivial\":\"yes\"}}".to_string()), None);
    }
    abi::OK
}

/// # Safety
/// As `bifrost_plugin.h` says.
#[no_mangle]
pub unsafe extern "C" fn bifrost_plugin_free_output(_plugin: *mut c_void, output: *mut Output) {
    (*output).free();
}

/// # Safety
/// As `bifrost_plugin.h` says.
#[no_mangle]
pub unsafe extern "C" fn bifrost_plugin_destroy(plugin: *mut c_void, _host: *const Host) {
    drop(Box::from_raw(plugin as *mut u8));
}
