#!/usr/bin/python3
"""trivial.js in Python, over the server of examples/plugins/grpc-python."""

from bifrost_plugin import Plugin, serve


class Trivial(Plugin):
    name = "trivial"
    version = "1.0.0"
    hooks = {"preLLMHook": {"reads": "messages"}, "httpTransportResponseHeadersHook": {}}

    def preLLMHook(self, _call, _request):
        return None

    def httpTransportResponseHeadersHook(self, _call, _head):
        return {"headers": {"x-trivial": "yes"}}


serve(Trivial())
