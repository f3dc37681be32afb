"""What every plugin of this kind needs: the server, the handshake line, sessions. The hooks are in plugin.py.

Needs grpcio and protobuf, and bifrost_plugin_pb2.py, which `protoc --python_out=. bifrost_plugin.proto` makes.
"""

import json
import os
import queue
import signal
import sys
import threading
from concurrent import futures

import grpc

import bifrost_plugin_pb2 as pb

SERVICE = "bifrost.plugin.v1.Plugin"
PROTOCOL = 1


class Plugin:
    """A plugin: override what is needed; each method of `hooks` is a hook."""

    name = "plugin"
    version = "0.1.0"
    guard = False
    # Hook name -> its options, {} for none. The hook itself is the method of that name: hook(call, input) -> result or None.
    hooks: dict = {}

    def init(self, config):
        """Called once before the first hook; raise to refuse the configuration."""
        self.config = config

    def cleanup(self):
        """Called once after the last hook."""

    # Set these to functions of a config where it has secrets that no schema can name: what the gateway stores in its place (a reference
    # instead of a secret, say), and what its admin API shows. Each gets a config and returns one.
    marshal_config_for_storage = None
    redact_config = None


class Call:
    """What a hook gets beside its input: the request's facts, and a store for this plugin and request."""

    def __init__(self):
        self.facts = {}
        self.state = {}


def _answer(plugin, requests, message):
    known = requests.setdefault(message.request, Call())
    if message.facts:
        known.facts = json.loads(message.facts)
    try:
        hook = getattr(plugin, message.hook)
        result = hook(known, json.loads(message.input) if message.input else None)
        return pb.PluginMessage(
            reply=pb.Reply(call=message.call, result="" if result is None else json.dumps(result))
        )
    except Exception as error:  # the gateway follows the hook's policy
        return pb.PluginMessage(
            failure=pb.Failure(call=message.call, name=type(error).__name__, message=str(error))
        )


def _session(plugin, incoming, pool):
    """Answers calls as they are done, many at once."""
    requests = {}
    outgoing = queue.Queue()

    def work(message):
        outgoing.put(_answer(plugin, requests, message))

    def read():
        try:
            for batch in incoming:
                for message in batch.messages:
                    kind = message.WhichOneof("kind")
                    if kind == "call":
                        pool.submit(work, message.call)
                    elif kind == "end_request":
                        requests.pop(message.end_request.request, None)
        except grpc.RpcError:
            pass  # the gateway's thread has gone
        finally:
            outgoing.put(None)

    threading.Thread(target=read, daemon=True).start()
    while (message := outgoing.get()) is not None:
        yield pb.PluginMessages(messages=[message])


def _view(function):
    def view(request, context):
        if function is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "the plugin has no such function")
        try:
            return pb.ConfigViewResponse(config=json.dumps(function(json.loads(request.config))))
        except Exception as error:
            context.abort(grpc.StatusCode.INTERNAL, type(error).__name__)

    return view


def _handlers(plugin, pool):
    def describe(_request, _context):
        description = {
            "name": plugin.name,
            "version": plugin.version,
            "api": "1.1",
            "guard": plugin.guard,
            "hooks": plugin.hooks,
            "marshalConfigForStorage": plugin.marshal_config_for_storage is not None,
            "redactConfig": plugin.redact_config is not None,
        }
        return pb.DescribeResponse(description=json.dumps(description), protocol=PROTOCOL)

    def init(request, context):
        try:
            plugin.init(json.loads(request.config or "{}"))
        except Exception as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return pb.InitResponse()

    def cleanup(_request, _context):
        plugin.cleanup()
        return pb.CleanupResponse()

    unary = grpc.unary_unary_rpc_method_handler
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "Describe": unary(describe, pb.DescribeRequest.FromString, pb.DescribeResponse.SerializeToString),
            "Init": unary(init, pb.InitRequest.FromString, pb.InitResponse.SerializeToString),
            "MarshalConfigForStorage": unary(
                _view(plugin.marshal_config_for_storage),
                pb.ConfigViewRequest.FromString,
                pb.ConfigViewResponse.SerializeToString,
            ),
            "RedactConfig": unary(
                _view(plugin.redact_config), pb.ConfigViewRequest.FromString, pb.ConfigViewResponse.SerializeToString
            ),
            "Cleanup": unary(cleanup, pb.CleanupRequest.FromString, pb.CleanupResponse.SerializeToString),
            "Session": grpc.stream_stream_rpc_method_handler(
                lambda incoming, _context: _session(plugin, incoming, pool),
                pb.HostMessages.FromString,
                pb.PluginMessages.SerializeToString,
            ),
        },
    )


def serve(plugin):
    """Serves the plugin until the gateway ends it."""
    if os.environ.get("BIFROST_PLUGIN") != "1":
        sys.exit("This is a Bifrost plugin: the gateway starts it. See README.md.")
    pool = futures.ThreadPoolExecutor(max_workers=16)
    # Each serving thread of the gateway keeps one session, which keeps one of the server's threads.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64))
    server.add_generic_rpc_handlers((_handlers(plugin, pool),))
    socket = os.path.join(os.environ.get("BIFROST_PLUGIN_SOCKET_DIR", "/tmp"), "plugin.sock")
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    print(f"1|{PROTOCOL}|unix|{socket}|grpc", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    sys.stdin.read()  # ends when the gateway has gone
    os._exit(0)
