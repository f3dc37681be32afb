package main

/*
#cgo CFLAGS: -I${SRCDIR}/../../../sdk/native
#include <stdlib.h>
#define BIFROST_TYPES_ONLY
#include "bifrost_plugin.h"

// cgo cannot call pointers to functions.
static void host_log(const bifrost_host *host, int32_t level, const char *message, const char *fields) {
  host->log(host, level, message, fields);
}
static const char *host_request(const bifrost_host *host, const char *json) { return host->request(host, json); }
*/
import "C"

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/cgo"
	"unsafe"
)

// Host is what the gateway does for the plugin. Use it in the goroutine that the hook was called in, and only until it returns: calls
// come over the thread of that goroutine, and the gateway ends the process if one comes over another.
type Host struct{ pointer *C.bifrost_host }

// Info writes a log line with fields.
func (host Host) Info(message string, fields map[string]any) {
	text := C.CString(message)
	defer C.free(unsafe.Pointer(text))
	encoded, err := json.Marshal(fields)
	if err != nil {
		encoded = []byte("null")
	}
	more := C.CString(string(encoded))
	defer C.free(unsafe.Pointer(more))
	C.host_log(host.pointer, C.BIFROST_INFO, text, more)
}

// Request asks the gateway and decodes the value of its answer.
func (host Host) Request(request map[string]any, value any) error {
	encoded, err := json.Marshal(request)
	if err != nil {
		return err
	}
	text := C.CString(string(encoded))
	defer C.free(unsafe.Pointer(text))
	reply := C.host_request(host.pointer, text)
	if reply == nil {
		return errors.New("the thread is being ended")
	}
	var answer struct {
		Value json.RawMessage
		Error *struct{ Message string }
	}
	if err := json.Unmarshal([]byte(C.GoString(reply)), &answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return errors.New(answer.Error.Message)
	}
	if value == nil || len(answer.Value) == 0 {
		return nil
	}
	return json.Unmarshal(answer.Value, value)
}

// Input is what a hook is shown: JSON, which is not read before it is asked for.
type Input struct{ text []byte }

// Decode reads the members that value has.
func (input Input) Decode(value any) error {
	return json.Unmarshal(input.text, &struct{ Input any }{value})
}

// Result of a hook: nil JSON for "unchanged". A body in the JSON is {"$bytes": 0}.
type Result struct {
	JSON any
	Body []byte
}

// write copies the result into memory of C, which free_output releases: the host may not see Go's.
func write(output *C.bifrost_output, status C.int32_t, text []byte, body []byte) C.int32_t {
	if text != nil {
		output.json = C.CString(string(text))
	}
	if body != nil {
		attachment := (*C.bifrost_bytes)(C.malloc(C.size_t(unsafe.Sizeof(C.bifrost_bytes{}))))
		attachment.data = (*C.uint8_t)(C.CBytes(body))
		attachment.length = C.size_t(len(body))
		output.attachments = attachment
		output.attachment_count = 1
	}
	return status
}

// guarded runs work; a panic becomes a status, as it may not leave the library.
func guarded(output *C.bifrost_output, onError C.int32_t, work func() (Result, error)) (status C.int32_t) {
	defer func() {
		if thrown := recover(); thrown != nil {
			status = write(output, C.BIFROST_PANICKED, []byte(fmt.Sprint(thrown)), nil)
		}
	}()
	result, err := work()
	if err != nil {
		return write(output, onError, []byte(err.Error()), nil)
	}
	if result.JSON == nil {
		return C.BIFROST_OK
	}
	text, err := json.Marshal(result.JSON)
	if err != nil {
		return write(output, C.BIFROST_FAILED, []byte(err.Error()), nil)
	}
	return write(output, C.BIFROST_OK, text, result.Body)
}

var description = C.CString(describe)

//export bifrost_plugin_abi
func bifrost_plugin_abi() C.uint32_t { return C.BIFROST_PLUGIN_ABI }

//export bifrost_plugin_describe
func bifrost_plugin_describe() *C.char { return description }

func inputOf(call *C.bifrost_call) []byte {
	return C.GoBytes(unsafe.Pointer(call.json), C.int(call.json_length))
}

//export bifrost_plugin_create
func bifrost_plugin_create(call *C.bifrost_call, made *unsafe.Pointer, output *C.bifrost_output) C.int32_t {
	return guarded(output, C.BIFROST_BAD_CONFIG, func() (Result, error) {
		plugin, err := newPlugin(inputOf(call), Host{call.host})
		if err == nil {
			// A handle, as C may not keep a pointer of Go.
			handle := (*C.uintptr_t)(C.malloc(C.size_t(unsafe.Sizeof(C.uintptr_t(0)))))
			*handle = C.uintptr_t(cgo.NewHandle(plugin))
			*made = unsafe.Pointer(handle)
		}
		return Result{}, err
	})
}

//export bifrost_plugin_call
func bifrost_plugin_call(handle unsafe.Pointer, call *C.bifrost_call, output *C.bifrost_output) C.int32_t {
	return guarded(output, C.BIFROST_FAILED, func() (Result, error) {
		plugin := cgo.Handle(*(*C.uintptr_t)(handle)).Value().(*Plugin)
		var body []byte
		if call.attachment_count > 0 {
			body = C.GoBytes(unsafe.Pointer(call.attachments.data), C.int(call.attachments.length))
		}
		return plugin.Call(Hook(call.hook), Input{inputOf(call)}, body, Host{call.host})
	})
}

//export bifrost_plugin_free_output
func bifrost_plugin_free_output(_ unsafe.Pointer, output *C.bifrost_output) {
	C.free(unsafe.Pointer(output.json))
	if output.attachments != nil {
		C.free(unsafe.Pointer(output.attachments.data))
		C.free(unsafe.Pointer(output.attachments))
	}
}

//export bifrost_plugin_destroy
func bifrost_plugin_destroy(handle unsafe.Pointer, _ *C.bifrost_host) {
	cgo.Handle(*(*C.uintptr_t)(handle)).Delete()
	C.free(handle)
}

// main is asked for by the compiler and never runs in a library.
func main() {}
