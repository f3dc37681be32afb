//! The functions of `bifrost_plugin.h`. No panic leaves them; all else is in `plugin.rs`.

mod abi;
mod json;
mod plugin;

use abi::{Call, Host, Output};
use json::Json;
use plugin::{Answer, Plugin};
use std::ffi::c_void;
use std::os::raw::c_char;
use std::panic::{catch_unwind, AssertUnwindSafe};

#[no_mangle]
pub extern "C" fn bifrost_plugin_abi() -> u32 {
    abi::ABI
}

#[no_mangle]
pub extern "C" fn bifrost_plugin_describe() -> *const c_char {
    plugin::DESCRIPTION.as_ptr() as *const c_char
}

/// Runs `work`, puts its answer or its error into `output` and makes a status of it.
fn guarded(output: &mut Output, on_error: i32, work: impl FnOnce() -> Result<Answer, String>) -> i32 {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(answer)) => {
            output.set(answer.json, answer.body);
            abi::OK
        }
        Ok(Err(message)) => {
            output.set(Some(message), None);
            on_error
        }
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
            output.set(Some(text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()), None);
            abi::PANICKED
        }
    }
}

/// # Safety
/// As `bifrost_plugin.h` says: the pointers are valid, and the host's.
#[no_mangle]
pub unsafe extern "C" fn bifrost_plugin_create(call: *const Call, made: *mut *mut c_void, output: *mut Output) -> i32 {
    let (call, output) = (&*call, &mut *output);
    let input = match Json::parse(call.json()) {
        Some(input) => input,
        None => return abi::BAD_INPUT,
    };
    guarded(output, abi::BAD_CONFIG, || {
        let plugin = Plugin::create(&input, call.host())?;
        *made = Box::into_raw(Box::new(plugin)) as *mut c_void;
        Ok(Answer::default())
    })
}

/// # Safety
/// As `bifrost_plugin.h` says: `plugin` was made by create and is used by one thread at a time.
#[no_mangle]
pub unsafe extern "C" fn bifrost_plugin_call(plugin: *mut c_void, call: *const Call, output: *mut Output) -> i32 {
    let (plugin, call, output) = (&*(plugin as *const Plugin), &*call, &mut *output);
    guarded(output, abi::FAILED, || plugin.call(call))
}

/// # Safety
/// As `bifrost_plugin.h` says: once for each output that has a pointer in it.
#[no_mangle]
pub unsafe extern "C" fn bifrost_plugin_free_output(_plugin: *mut c_void, output: *mut Output) {
    (*output).free();
}

/// # Safety
/// As `bifrost_plugin.h` says: once, and nothing is called with `plugin` afterwards.
#[no_mangle]
pub unsafe extern "C" fn bifrost_plugin_destroy(plugin: *mut c_void, _host: *const Host) {
    drop(Box::from_raw(plugin as *mut Plugin));
}
