"""The ResourceProvider protocol of the Pulumi engine, spoken for every package from one port.

Owns the translation between gRPC and `operations.Cloud`, and the memory of which connection is configured how: the
engine opens one connection a provider and configures it first, so the peer's address tells provider instances apart; a
reconnected peer is recognised by stack and package.

Protocol facts that cost time to find: Cancel is sent at the end of every operation and must not end the process;
GetPluginInfo must not answer a version below the SDK's, else the engine warns; Attach is only called in debug mode.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent import futures
from functools import wraps
from typing import Any, Final, NoReturn, Protocol, TypeAlias, TypeVar

import grpc
from google.protobuf import any_pb2, empty_pb2, struct_pb2
from google.rpc import code_pb2, status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.cloud import packages, products, wire
from sandbox.cloud.check import Failure
from sandbox.cloud.diff import Change
from sandbox.cloud.draft import Draft, Provider
from sandbox.cloud.errors import PartialFailureError, Refusal
from sandbox.cloud.operations import Cloud
from sandbox.cloud.registry import model_of, product_of
from sandbox.cloud.schema import SchemaError, package_of
from sandbox.cloud.store import Record, stack_of

_log: Final = logging.getLogger(__name__)
_MESSAGE: Final = 400 * 1024 * 1024  # the engine's own limit
OPTIONS: Final = [("grpc.max_send_message_length", _MESSAGE), ("grpc.max_receive_message_length", _MESSAGE)]
_PEERS: Final = 4096  # connections remembered; the oldest are forgotten first
_WORKERS: Final = 16  # more only queue for the interpreter's lock
_FUTURE_VERSION: Final = "1000.0.0"
_F = TypeVar("_F", bound="Callable[..., Any]")
Context: TypeAlias = grpc.ServicerContext


class _Request(Protocol):
    """What all requests about one resource or provider have."""

    urn: str
    type: str


class _ResourceRequest(_Request, Protocol):
    """What all requests about one existing resource have."""

    id: str


def serve(cloud: Cloud, port: int = 0) -> tuple[grpc.Server, int]:
    """Start answering on the loopback interface; the server and its port."""
    server = grpc.server(futures.ThreadPoolExecutor(_WORKERS, "rpc"), options=OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(cloud), server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, bound


def _answering(verb: str) -> Callable[[_F], _F]:
    """Turn a method's exceptions into what the engine shows to its user."""

    def wrap(method: _F) -> _F:
        @wraps(method)
        def guarded(self: Servicer, request: Any, context: Context) -> Any:  # noqa: ANN401  # any message
            try:
                return method(self, request, context)
            except Refusal as refusal:
                context.abort(grpc.StatusCode.UNKNOWN, self.words(refusal, request, context, verb))
            except SchemaError as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            except PartialFailureError as failure:
                _abort_partially(context, failure)
            except Exception as error:  # noqa: BLE001  # the engine must get an answer, the log the traceback
                _log.exception("%s of %s failed", verb, getattr(request, "urn", "") or getattr(request, "tok", ""))
                context.abort(
                    grpc.StatusCode.INTERNAL,
                    f"the simulated cloud has a bug ({type(error).__name__}); its log holds the traceback",
                )

        return guarded  # type: ignore[return-value]

    return wrap


def _abort_partially(context: Context, failure: PartialFailureError) -> NoReturn:
    """Fail in the protocol's way for "it exists, but not as it should": the engine stores it and updates it next."""
    record = failure.record
    detail = any_pb2.Any()
    detail.Pack(
        pb.ErrorResourceInitFailed(
            id=record.id,
            properties=wire.encode(record.outputs),
            inputs=wire.encode(record.inputs),
            reasons=[failure.reason],
        )
    )
    status = status_pb2.Status(code=code_pb2.UNKNOWN, message=failure.reason, details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, failure.reason)


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """One servicer for all packages; the type token of each request says which."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._peers: OrderedDict[str, Provider] = OrderedDict()
        self._stacks: dict[tuple[str, str], Provider] = {}

    # Life of a connection.

    def Handshake(self, request: pb.ProviderHandshakeRequest, context: Context) -> pb.ProviderHandshakeResponse:
        return pb.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True)

    def Attach(self, request: plugin_pb2.PluginAttach, context: Context) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def Cancel(self, request: empty_pb2.Empty, context: Context) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Context) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=_FUTURE_VERSION)

    def GetSchema(self, request: pb.GetSchemaRequest, context: Context) -> pb.GetSchemaResponse:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "the simulated cloud has no package schema; use the SDK's")

    def GetMapping(self, request: pb.GetMappingRequest, context: Context) -> pb.GetMappingResponse:
        return pb.GetMappingResponse()

    def GetMappings(self, request: pb.GetMappingsRequest, context: Context) -> pb.GetMappingsResponse:
        return pb.GetMappingsResponse()

    @_answering("checking")
    def CheckConfig(self, request: pb.CheckRequest, context: Context) -> pb.CheckResponse:
        name = _provider_package(request)
        config = products.led(self._cloud.reach, name, wire.plain(wire.decode(request.news)))
        failures = [*packages.package(name).configure(config), *products.misconfigured(name, config)]
        return pb.CheckResponse(inputs=request.news, failures=_failures(failures))

    @_answering("comparing")
    def DiffConfig(self, request: pb.DiffRequest, context: Context) -> pb.DiffResponse:
        """Provider changes never replace resources here; a resource carries its own region and project."""
        changed = wire.decode(request.old_inputs) != wire.decode(request.news)
        some, none = pb.DiffResponse.DIFF_SOME, pb.DiffResponse.DIFF_NONE
        return pb.DiffResponse(changes=some if changed else none)

    @_answering("configuring")
    def Configure(self, request: pb.ConfigureRequest, context: Context) -> pb.ConfigureResponse:
        name = _provider_package(request)
        config = products.led(self._cloud.reach, name, wire.plain(wire.decode(request.args)))
        provider = Provider(packages.package(name), config)
        self._peers[context.peer()] = provider
        if len(self._peers) > _PEERS:
            self._peers.popitem(last=False)
        self._stacks[stack_of(request.urn), name] = provider
        return pb.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=True)

    # Resources.

    @_answering("checking")
    def Check(self, request: pb.CheckRequest, context: Context) -> pb.CheckResponse:
        inputs, failures = self._cloud.check(
            self._provider(request, context), request.urn, request.type,
            wire.decode(request.olds), wire.decode(request.news), request.randomSeed,
        )  # fmt: skip
        return pb.CheckResponse(inputs=wire.encode(inputs), failures=_failures(failures))

    @_answering("comparing")
    def Diff(self, request: pb.DiffRequest, context: Context) -> pb.DiffResponse:
        found = self._cloud.diff(
            self._provider(request, context), request.urn, request.type, request.id,
            wire.decode(request.old_inputs), wire.decode(request.news), list(request.ignoreChanges),
        )  # fmt: skip
        some, none = pb.DiffResponse.DIFF_SOME, pb.DiffResponse.DIFF_NONE
        return pb.DiffResponse(
            changes=some if found.changes else none,
            replaces=[change.path for change in found.changes if change.replaces],
            diffs=[change.path for change in found.changes],
            detailedDiff={change.path: _property_diff(change) for change in found.changes},
            hasDetailedDiff=True,
            deleteBeforeReplace=found.delete_first,
        )

    @_answering("creating")
    def Create(self, request: pb.CreateRequest, context: Context) -> pb.CreateResponse:
        id_, outputs = self._cloud.create(
            self._provider(request, context), request.urn, request.type,
            wire.decode(request.properties), preview=request.preview,
        )  # fmt: skip
        return pb.CreateResponse(id=id_, properties=wire.encode(outputs))

    @_answering("updating")
    def Update(self, request: pb.UpdateRequest, context: Context) -> pb.UpdateResponse:
        outputs = self._cloud.update(
            self._provider(request, context), _remembered(request, request.old_inputs, request.olds),
            wire.decode(request.news), preview=request.preview,
        )  # fmt: skip
        return pb.UpdateResponse(properties=wire.encode(outputs))

    @_answering("reading")
    def Read(self, request: pb.ReadRequest, context: Context) -> pb.ReadResponse:
        remembered = _remembered(request, request.inputs, request.properties)
        record = self._cloud.read(self._provider(request, context), remembered)
        if record is None:
            return pb.ReadResponse()  # an empty id: it is gone
        return pb.ReadResponse(id=record.id, properties=wire.encode(record.outputs), inputs=wire.encode(record.inputs))

    @_answering("deleting")
    def Delete(self, request: pb.DeleteRequest, context: Context) -> empty_pb2.Empty:
        remembered = _remembered(request, request.old_inputs, request.properties)
        self._cloud.delete(self._provider(request, context), remembered)
        return empty_pb2.Empty()

    @_answering("invoking")
    def Invoke(self, request: pb.InvokeRequest, context: Context) -> pb.InvokeResponse:
        provider = self._peers.get(context.peer()) or Provider(packages.package(package_of(request.tok)))
        response = pb.InvokeResponse()
        found = self._cloud.invoke(provider, request.tok, wire.decode(request.args))
        getattr(response, "return").CopyFrom(wire.encode(found))
        return response

    def _provider(self, request: _Request, context: Context) -> Provider:
        """Configuration of the connection; a peer that is not known has reconnected.

        Raises:
            Refusal: it has, and a guess between a stack's providers could act on the wrong product.
        """
        if context.peer() not in self._peers and product_of(package_of(request.type)):
            message = "the connection to the simulated cloud was lost on the way, nothing was done: run again"
            raise Refusal("ConnectionLost", message, 503)
        return self._known(request, context)

    def _known(self, request: _Request, context: Context) -> Provider:
        name = package_of(request.type)
        known = self._peers.get(context.peer()) or self._stacks.get((stack_of(request.urn), name))
        return known or Provider(packages.package(name))

    def words(self, refusal: Refusal, request: Any, context: Context, verb: str) -> str:  # noqa: ANN401  # any message
        """A refusal in the words of the provider that relays it."""
        urn, type_ = getattr(request, "urn", ""), getattr(request, "type", "")
        if not type_:
            return f"{refusal.code}: {refusal.message}"
        inputs = wire.plain(
            wire.decode(getattr(request, "properties", None) or getattr(request, "news", None) or struct_pb2.Struct())
        )
        provider = self._known(request, context)
        return provider.package.words(refusal, Draft(model_of(type_), provider, self._cloud.store, urn, inputs), verb)


def _provider_package(request: _Request) -> str:
    """`aws` of a provider's own request, whose type is `pulumi:providers:aws`."""
    type_ = request.type or request.urn.split("::")[2] if request.urn else request.type
    return type_.rpartition(":")[2]


def _remembered(request: _ResourceRequest, inputs: struct_pb2.Struct, outputs: struct_pb2.Struct) -> Record:
    """A resource as the engine remembers it."""
    return Record(request.type, request.id, request.urn, wire.decode(inputs), wire.decode(outputs))


def _failures(failures: Iterable[Failure]) -> list[pb.CheckFailure]:
    return [pb.CheckFailure(property=failure.property, reason=failure.reason) for failure in failures]


def _property_diff(change: Change) -> pb.PropertyDiff:
    kind = change.kind.upper() + ("_REPLACE" if change.replaces else "")
    return pb.PropertyDiff(kind=pb.PropertyDiff.Kind.Value(kind), inputDiff=True)
