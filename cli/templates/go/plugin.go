package main

// Greets every answer with a header, and refuses models that the configuration forbids.

import (
	"encoding/json"
	"fmt"
)

// Name and version are the manifest's. The options of a hook: {"reads": "messages"} shows the conversation, for example.
const describe = `{"hooks": {"preLLMHook": {}, "httpTransportResponseHeadersHook": {}, "inject": {}}}`

// Hook is a number of bifrost_plugin.h.
type Hook uint32

const (
	preLLM          Hook = 3
	responseHeaders Hook = 6
	inject          Hook = 13
)

// Config is the entry's `config`; `configSchema` in bifrost-plugin.json has checked it before.
type Config struct {
	Greeting        string   `json:"greeting"`
	ForbiddenModels []string `json:"forbiddenModels"`
}

// Plugin is one for each serving thread: no locks needed for what is in it. Variables of the package are shared by all.
type Plugin struct{ config Config }

func newPlugin(input []byte, host Host) (*Plugin, error) {
	created := struct{ Config Config }{Config{Greeting: "Hello"}}
	if err := json.Unmarshal(input, &created); err != nil {
		return nil, err
	}
	host.Info("greets with "+created.Config.Greeting, map[string]any{})
	return &Plugin{created.Config}, nil
}

// Call runs one hook.
func (plugin *Plugin) Call(hook Hook, input Input, body []byte, host Host) (Result, error) {
	switch hook {
	case preLLM:
		return plugin.refuse(input)
	case responseHeaders:
		return Result{JSON: map[string]any{"headers": map[string]string{"x-__NAME__": plugin.config.Greeting}}}, nil
	case inject:
		host.Info("the answer is out", map[string]any{})
		return Result{}, nil
	}
	return Result{}, fmt.Errorf("hook %d was not named in describe", hook)
}

// refuse answers by a result, which is no failure: it has a status for the client and does not count as an error of the plugin.
func (plugin *Plugin) refuse(input Input) (Result, error) {
	var request struct{ Model string }
	if err := input.Decode(&request); err != nil {
		return Result{}, err
	}
	for _, model := range plugin.config.ForbiddenModels {
		if model != request.Model {
			continue
		}
		return Result{JSON: map[string]any{"error": map[string]any{
			"statusCode": 403, "message": "The model \"" + model + "\" is forbidden here.", "code": "model_forbidden",
			"origin": "plugin", "allowFallbacks": false,
		}}}, nil
	}
	return Result{}, nil
}
