"""A simulated cloud in this process, and a client that speaks to it as the engine does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.cloud import wire
from sandbox.cloud.faults import Faults
from sandbox.cloud.index import entry
from sandbox.cloud.operations import Cloud
from sandbox.cloud.schema import SchemaBook
from sandbox.cloud.server import OPTIONS, serve
from sandbox.cloud.store import Store
from sandbox.cloud.wire import Value

CONFIG: dict[str, dict[str, Any]] = {
    "aws": {"region": "us-west-2"},
    "azure-native": {"subscriptionId": "11111111-1111-4111-8111-111111111111", "location": "westus2"},
    "gcp": {"project": "platform-sandbox", "region": "us-west1", "zone": "us-west1-a"},
}


class RefusedError(Exception):
    """The cloud said no, in `message`; `details` is the trailing status."""

    def __init__(self, message: str, details: bytes = b"") -> None:
        super().__init__(message)
        self.message = message
        self.details = details


@dataclass
class Resource:
    """What a create or update answered; `outputs` are plain."""

    type: str
    name: str
    id: str
    inputs: dict[str, Any]
    wrapped: dict[str, Any]
    outputs: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.outputs = wire.plain(self.wrapped)

    def __getitem__(self, name: str) -> Value:
        return self.id if name == "id" else self.outputs[name]


@dataclass
class Client:
    """One stack's connections: a channel per package, configured as the engine would."""

    port: int
    stack: str = "test"
    config: dict[str, dict[str, Any]] = field(default_factory=lambda: CONFIG)
    _stubs: dict[str, provider_pb2_grpc.ResourceProviderStub] = field(default_factory=dict)
    _channels: list[grpc.Channel] = field(default_factory=list)

    def stub(self, package: str) -> provider_pb2_grpc.ResourceProviderStub:
        if package not in self._stubs:
            private = [*OPTIONS, ("grpc.use_local_subchannel_pool", 1)]  # else channels share a connection
            channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options=private)
            self._channels.append(channel)
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Handshake(pb.ProviderHandshakeRequest(engine_address="127.0.0.1:1", configure_with_urn=True))
            type_ = f"pulumi:providers:{package}"
            args = wire.encode(self.config.get(package, {}))
            urn = f"urn:pulumi:{self.stack}::project::{type_}::default"
            checked = stub.CheckConfig(pb.CheckRequest(urn=urn, type=type_, news=args))
            assert not checked.failures, checked.failures
            stub.Configure(pb.ConfigureRequest(urn=urn, type=type_, args=args, acceptSecrets=True))
            self._stubs[package] = stub
        return self._stubs[package]

    def close(self) -> None:
        for channel in self._channels:
            channel.close()

    def urn(self, type_: str, name: str) -> str:
        return f"urn:pulumi:{self.stack}::project::{type_}::{name}"

    def check(
        self, type_: str, inputs: dict[str, Any], name: str = "it", old: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], list[str]]:
        """(checked inputs, failures as "property: reason")."""
        request = pb.CheckRequest(
            urn=self.urn(type_, name),
            type=type_,
            name=name,
            news=wire.encode(inputs),
            olds=wire.encode(old or {}),
            randomSeed=name.encode(),
        )
        answer = call(self.stub(type_.partition(":")[0]).Check, request)
        return wire.decode(answer.inputs), [f"{item.property}: {item.reason}" for item in answer.failures]

    def failures(self, type_: str, inputs: dict[str, Any]) -> list[str]:
        return self.check(type_, inputs)[1]

    def create(self, type_: str, inputs: dict[str, Any] | None = None, name: str = "it") -> Resource:
        """Check, then create; refusals of either raise `RefusedError`."""
        checked, failures = self.check(type_, inputs or {}, name)
        if failures:
            raise RefusedError("; ".join(failures))
        request = pb.CreateRequest(
            urn=self.urn(type_, name), type=type_, name=name, properties=wire.encode(checked), preview=False
        )
        answer = call(self.stub(type_.partition(":")[0]).Create, request)
        return Resource(type_, name, answer.id, checked, wire.decode(answer.properties))

    def preview(self, type_: str, inputs: dict[str, Any] | None = None, name: str = "it") -> dict[str, Any]:
        checked, failures = self.check(type_, inputs or {}, name)
        if failures:
            raise RefusedError("; ".join(failures))
        request = pb.CreateRequest(
            urn=self.urn(type_, name), type=type_, name=name, properties=wire.encode(checked), preview=True
        )
        return wire.decode(call(self.stub(type_.partition(":")[0]).Create, request).properties)

    def diff(self, old: Resource, inputs: dict[str, Any]) -> pb.DiffResponse:
        checked, failures = self.check(old.type, inputs, old.name, old.inputs)
        assert not failures, failures
        request = pb.DiffRequest(
            id=old.id,
            urn=self.urn(old.type, old.name),
            type=old.type,
            name=old.name,
            olds=wire.encode(old.wrapped),
            old_inputs=wire.encode(old.inputs),
            news=wire.encode(checked),
        )
        return call(self.stub(old.type.partition(":")[0]).Diff, request)

    def update(self, old: Resource, inputs: dict[str, Any], *, preview: bool = False) -> Resource:
        checked, failures = self.check(old.type, inputs, old.name, old.inputs)
        if failures:
            raise RefusedError("; ".join(failures))
        request = pb.UpdateRequest(
            id=old.id,
            urn=self.urn(old.type, old.name),
            type=old.type,
            name=old.name,
            olds=wire.encode(old.wrapped),
            old_inputs=wire.encode(old.inputs),
            news=wire.encode(checked),
            preview=preview,
        )
        answer = call(self.stub(old.type.partition(":")[0]).Update, request)
        return Resource(old.type, old.name, old.id, checked, wire.decode(answer.properties))

    def read(self, type_: str, id_: str, name: str = "it") -> pb.ReadResponse:
        request = pb.ReadRequest(id=id_, urn=self.urn(type_, name), type=type_, name=name)
        return call(self.stub(type_.partition(":")[0]).Read, request)

    def delete(self, old: Resource) -> None:
        request = pb.DeleteRequest(
            id=old.id, urn=self.urn(old.type, old.name), type=old.type, properties=wire.encode(old.wrapped)
        )
        call(self.stub(old.type.partition(":")[0]).Delete, request)

    def invoke(self, token: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        request = pb.InvokeRequest(tok=token, args=wire.encode(arguments or {}))
        answer = call(self.stub(token.partition(":")[0]).Invoke, request)
        return wire.decode(getattr(answer, "return"))


def call(method: Callable[..., Any], request: Message) -> Any:  # noqa: ANN401  # as the method answers
    try:
        return method(request, timeout=60)
    except grpc.RpcError as error:
        answer: Any = error  # a call that ended in an error is that error
        details = dict(answer.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
        raise RefusedError(answer.details(), details) from None


@dataclass
class World:
    """A running cloud and its state folder."""

    cloud: Cloud
    state: Path
    port: int
    clients: list[Client] = field(default_factory=list)

    def client(self, stack: str = "test", config: dict[str, dict[str, Any]] | None = None) -> Client:
        self.clients.append(Client(self.port, stack, config or CONFIG))
        return self.clients[-1]


@contextmanager
def running(state: Path) -> Iterator[World]:
    """A simulated cloud on a state folder, ended with the block."""
    store = Store(state, entry)
    cloud = Cloud(store, SchemaBook(), Faults(state / "faults.yaml"))
    server, port = serve(cloud)
    world = World(cloud, state, port)
    yield world
    for client in world.clients:
        client.close()
    server.stop(None).wait()
    store.close()
