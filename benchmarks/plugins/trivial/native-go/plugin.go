package main

// trivial.js in Go, over the border of examples/plugins/native-go.

import "encoding/json"

const describe = `{"name": "trivial", "version": "1.0.0", "api": "1.1", "hooks": {
	"preLLMHook": {"reads": "messages"}, "httpTransportResponseHeadersHook": {}}}`

// Hook is a number of bifrost_plugin.h.
type Hook uint32

const responseHeaders Hook = 6

// Plugin has no state.
type Plugin struct{}

func newPlugin(_ []byte, _ Host) (*Plugin, error) { return &Plugin{}, nil }

// Call runs one hook.
func (plugin *Plugin) Call(hook Hook, _ Input, _ []byte, _ Host) (Result, error) {
	if hook != responseHeaders {
		return Result{}, nil
	}
	return Result{JSON: json.RawMessage(`{"headers":{"x-trivial":"yes"}}`)}, nil
}
