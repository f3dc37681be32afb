#!/usr/bin/python3
"""The least that a gRPC server in this language can do: a stream that answers each message with a constant, on the stream's own thread."""

import json
import os
import sys
from concurrent import futures

import grpc


def echo(answer):
    def stream(incoming, _context):
        for _message in incoming:
            yield answer

    return grpc.stream_stream_rpc_method_handler(stream)


ANSWERS = [text.encode() for text in json.loads(sys.argv[2])]
server = grpc.server(futures.ThreadPoolExecutor(max_workers=64))
handlers = {f"Echo{index}": echo(answer) for index, answer in enumerate(ANSWERS)}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo.Echo", handlers),))
server.add_insecure_port(f"unix:{sys.argv[1]}")
server.start()
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
