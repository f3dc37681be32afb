#!/usr/bin/python3
"""Greets every answer with a header, and refuses models that the configuration forbids."""

from bifrost_plugin import Plugin, serve


class Greeter(Plugin):
    name = "__NAME__"
    # The options of a hook: {"reads": "messages"} shows the conversation, for example.
    hooks = {"preLLMHook": {}, "httpTransportResponseHeadersHook": {}}

    # Every attempt, fallbacks too. A refusal is a result: it has a status for the client.
    def preLLMHook(self, call, request):
        model = request["model"]
        if model not in self.config.get("forbiddenModels", []):
            return None
        message = f'The model "{model}" is forbidden here.'
        return {
            "error": {
                "statusCode": 403,
                "code": "model_forbidden",
                "message": message,
                "origin": "plugin",
                "allowFallbacks": False,
            }
        }

    # Before the answer's head goes out, streams too.
    def httpTransportResponseHeadersHook(self, call, _head):
        return {"headers": {"x-__NAME__": self.config.get("greeting", "Hello")}}


serve(Greeter())
