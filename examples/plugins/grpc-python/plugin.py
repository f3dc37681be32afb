#!/usr/bin/python3
"""Counts the words of every whole answer, puts the count into a header of streams and refuses a word that the configuration names."""

from bifrost_plugin import Plugin, serve


class WordCounter(Plugin):
    name = "grpc-python"
    version = "1.0.0"
    guard = True
    hooks = {
        "preLLMHook": {"reads": "messages"},
        "httpTransportResponseHeadersHook": {},
        "streamEventHook": {},
    }

    def redact_config(self, config):
        """What is refused need not be known to everybody who may look at the plugins."""
        return {**config, "refuse": "<hidden>"} if "refuse" in config else config

    def preLLMHook(self, call, request):
        word = self.config.get("refuse")
        texts = [
            part.get("text", "")
            for message in (request.get("conversation") or {}).get("messages", [])
            for part in message["parts"]
        ]
        call.state["words"] = sum(len(text.split()) for text in texts)
        if word and any(word in text for text in texts):
            message = f'Requests about "{word}" are refused.'
            return {"error": {"statusCode": 400, "message": message, "origin": "plugin", "allowFallbacks": False}}
        return None

    def httpTransportResponseHeadersHook(self, call, _head):
        return {"headers": {"x-grpc-python": f'{call.state.get("words", 0)} words asked'}}

    def streamEventHook(self, call, event):
        if event["type"] != "text-delta" or "stamped" in call.state:
            return None
        call.state["stamped"] = True
        return [{**event, "text": "[python] " + event["text"]}]


serve(WordCounter())
