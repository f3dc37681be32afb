"""What every plugin of this kind needs: the server, the handshake line, sessions. The hooks are in plugin.py.

Needs grpcio and protobuf, and bifrost_plugin_pb2.py, which `protoc --python_out=. bifrost_plugin.proto` makes.
"""

import asyncio
import json
import os
import signal
import sys
import threading

import grpc
import grpc.aio

import bifrost_plugin_pb2 as pb

SERVICE = "bifrost.plugin.v1.Plugin"
PROTOCOL = 1


class Plugin:
    """A plugin: override what is needed; each method of `hooks` is a hook.

    All hooks run on one thread, one after the other: that is what makes a call cheap. So a hook that waits (for another server, a file, a
    lock) has to be `async def`, and lets others run meanwhile; what blocks goes to a thread: `await asyncio.to_thread(...)`.
    """

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
        self.state = {}
        self._facts = "{}"

    @property
    def facts(self):
        # Most hooks do not look at them.
        if isinstance(self._facts, str):
            self._facts = json.loads(self._facts)
        return self._facts


def _run(plugin, requests, call):
    """What the hook returns: its result, or a coroutine of it."""
    request = requests.get(call.request)
    if request is None:
        request = requests[call.request] = Call()
    if call.facts:
        request._facts = call.facts
    return getattr(plugin, call.hook)(request, json.loads(call.input) if call.input else None)


def _add_reply(answers, call, result):
    text = "" if result is None else json.dumps(result)
    reply = answers.messages.add().reply
    reply.call = call.call
    reply.result = text


def _add_failure(answers, call, error):
    """The gateway follows the hook's policy."""
    failure = answers.messages.add().failure
    failure.call = call.call
    failure.name = type(error).__name__
    failure.message = str(error)


class _Session:
    """The calls of one thread of the gateway."""

    def __init__(self, plugin, context):
        self.plugin = plugin
        self.context = context
        self.requests = {}
        self.waiting = set()
        self.writing = asyncio.Lock()

    async def serve(self):
        try:
            while (batch := await self.context.read()) is not grpc.aio.EOF:
                await self._write(self._answers(batch))
        finally:
            for task in self.waiting:
                task.cancel()

    def _answers(self, batch):
        """What is answered at once leaves in one message, as it came."""
        answers = pb.PluginMessages()
        for message in batch.messages:
            if message.HasField("call"):
                call = message.call
                try:
                    result = _run(self.plugin, self.requests, call)
                    if asyncio.iscoroutine(result):
                        task = asyncio.create_task(self._answer_later(call, result))
                        self.waiting.add(task)
                        task.add_done_callback(self.waiting.discard)
                    else:
                        _add_reply(answers, call, result)
                except Exception as error:
                    _add_failure(answers, call, error)
            elif message.HasField("end_request"):
                self.requests.pop(message.end_request.request, None)
        return answers

    async def _answer_later(self, call, result):
        answers = pb.PluginMessages()
        try:
            _add_reply(answers, call, await result)
        except Exception as error:
            _add_failure(answers, call, error)
        await self._write(answers)

    async def _write(self, answers):
        if answers.messages:
            async with self.writing:
                await self.context.write(answers)


def _view(function):
    async def view(request, context):
        if function is None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "the plugin has no such function")
        try:
            viewed = json.dumps(function(json.loads(request.config)))
        except Exception as error:
            await context.abort(grpc.StatusCode.INTERNAL, type(error).__name__)
        return pb.ConfigViewResponse(config=viewed)

    return view


def _handlers(plugin):
    async def describe(_request, _context):
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

    async def init(request, context):
        try:
            plugin.init(json.loads(request.config or "{}"))
        except Exception as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return pb.InitResponse()

    async def cleanup(_request, _context):
        plugin.cleanup()
        return pb.CleanupResponse()

    async def session(_incoming, context):
        await _Session(plugin, context).serve()

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
                session,
                pb.HostMessages.FromString,
                pb.PluginMessages.SerializeToString,
            ),
        },
    )


async def _serve(plugin):
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 64 * 1024 * 1024)])
    server.add_generic_rpc_handlers((_handlers(plugin),))
    socket = os.path.join(os.environ.get("BIFROST_PLUGIN_SOCKET_DIR", "/tmp"), "plugin.sock")
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    print(f"1|{PROTOCOL}|unix|{socket}|grpc", flush=True)
    await server.wait_for_termination()


def _end_with_the_gateway():
    sys.stdin.read()  # ends when the gateway has gone
    os._exit(0)


def serve(plugin):
    """Serves the plugin until the gateway ends it."""
    if os.environ.get("BIFROST_PLUGIN") != "1":
        sys.exit("This is a Bifrost plugin: the gateway starts it. See README.md.")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    threading.Thread(target=_end_with_the_gateway, daemon=True).start()
    asyncio.run(_serve(plugin))
