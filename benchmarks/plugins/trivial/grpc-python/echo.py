#!/usr/bin/python3
"""The least that a gRPC server in this language can do: one unary method that answers with a constant."""

import json
import os
import sys
from concurrent import futures

import grpc

ANSWERS = [text.encode() for text in json.loads(sys.argv[2])]
server = grpc.server(futures.ThreadPoolExecutor(max_workers=64))
handlers = {
    f"Echo{index}": grpc.unary_unary_rpc_method_handler(lambda _request, _context, answer=answer: answer)
    for index, answer in enumerate(ANSWERS)
}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo.Echo", handlers),))
server.add_insecure_port(f"unix:{sys.argv[1]}")
server.start()
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
