package main

// Refuses models that are not allowed, puts a header on every answer, stamps every text of a stream, adds a line to the body of
// whole answers, and counts requests over all threads.

import (
	"encoding/json"
	"fmt"
	"strings"
)

const describe = `{"name": "native-go", "version": "1.0.0", "api": "1.1", "hooks": {
	"preRequestHook": {}, "preLLMHook": {}, "streamEventHook": {},
	"httpTransportResponseHeadersHook": {}, "httpTransportPostHook": {"reads": "body"}, "inject": {}}}`

// Hook is a number of bifrost_plugin.h.
type Hook uint32

const (
	preRequest      Hook = 2
	preLLM          Hook = 3
	streamEvent     Hook = 5
	responseHeaders Hook = 6
	httpPost        Hook = 8
	inject          Hook = 13
)

// Config is the entry's `config`.
type Config struct {
	Stamp       string `json:"stamp"`
	DeniedModel string `json:"deniedModel"`
}

// Plugin is one for each serving thread: no locks needed for what is in it. Variables of the package are shared by all.
type Plugin struct{ config Config }

func newPlugin(input []byte, host Host) (*Plugin, error) {
	created := struct{ Config Config }{Config{Stamp: "go1"}}
	if err := json.Unmarshal(input, &created); err != nil {
		return nil, err
	}
	host.Info("native-go with the stamp "+created.Config.Stamp, map[string]any{})
	return &Plugin{created.Config}, nil
}

// Call runs one hook.
func (plugin *Plugin) Call(hook Hook, input Input, body []byte, host Host) (Result, error) {
	switch hook {
	case preRequest:
		return plugin.count(input, host)
	case preLLM:
		return plugin.judge(input)
	case streamEvent:
		return plugin.stamp(input)
	case responseHeaders:
		return Result{JSON: map[string]any{"headers": map[string]string{"x-native-go": plugin.config.Stamp}}}, nil
	case httpPost:
		if body == nil {
			return Result{}, nil
		}
		return Result{JSON: map[string]any{"body": map[string]int{"$bytes": 0}}, Body: append(body, '\n')}, nil
	case inject:
		return Result{}, nil
	}
	return Result{}, fmt.Errorf("hook %d was not named in describe", hook)
}

func (plugin *Plugin) count(input Input, host Host) (Result, error) {
	var request struct{ Model string }
	if err := input.Decode(&request); err != nil {
		return Result{}, err
	}
	var count int
	if err := host.Request(map[string]any{"op": "shared.add", "key": "requests"}, &count); err != nil {
		return Result{}, err
	}
	host.Info("a request came in", map[string]any{"count": count, "model": request.Model})
	return Result{}, nil
}

// judge refuses by a result, which is no failure: it has a status for the client and does not count as an error of the plugin.
func (plugin *Plugin) judge(input Input) (Result, error) {
	var request struct{ Model string }
	if err := input.Decode(&request); err != nil {
		return Result{}, err
	}
	if plugin.config.DeniedModel == "" || !strings.Contains(request.Model, plugin.config.DeniedModel) {
		return Result{}, nil
	}
	return Result{JSON: map[string]any{"error": map[string]any{
		"statusCode": 403, "message": "this model is not allowed here", "code": "model_denied",
		"origin": "plugin", "allowFallbacks": false,
	}}}, nil
}

// stamp keeps the members of an event that it does not know.
func (plugin *Plugin) stamp(input Input) (Result, error) {
	var event map[string]json.RawMessage
	if err := input.Decode(&event); err != nil {
		return Result{}, err
	}
	var text string
	if string(event["type"]) != `"text-delta"` || json.Unmarshal(event["text"], &text) != nil {
		return Result{}, nil
	}
	stamped, err := json.Marshal("[" + plugin.config.Stamp + "]" + text)
	if err != nil {
		return Result{}, err
	}
	event["text"] = stamped
	return Result{JSON: []any{event}}, nil
}
