"""The services of a lab, served: every address, every host name, one process.

Owns what is told to all of them at once and what outlives them: in the lab's folder lie the authority, the key that
signs tokens, and the key service's keys. What stands in the clouds is told anew after a start; what lay in buckets
is lost.

Dangerous edges:
- Sockets are opened in the network of the calling process, which must be the lab's own.
- A machine is known by its address. Whoever builds the network sees to it that nobody sends from another's.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.stores import emulators, gateway
from sandbox.stores.aws import Aws
from sandbox.stores.azure import Azure
from sandbox.stores.exchange import Answer, Forward, Request, xml
from sandbox.stores.gcp import Gcp
from sandbox.stores.ground import Ground
from sandbox.stores.metadata import Metadata
from sandbox.stores.tokens import Tokens

from . import artefacts, cloudkms, dns, truststore
from .authority import Shown, authority, server_pair
from .feed import Feed
from .kept import kept
from .keys import AwsKeys, AzureVaults
from .material import Material
from .places import CLOUD_KMS, CLOUD_KMS_HOST, DNS, GATEWAY, HTTP, HTTPS, METADATA, RESOLVER, hosts
from .secrets import AwsSecrets, GcpSecrets
from .transit import Transit


def shelf(folder: Path) -> Path:
    """Where a lab's release archives lie, below the services' folder."""
    return folder / "archives"


@dataclass(frozen=True)
class _Told:
    """All that answers are given from; swapped as one."""

    ground: Ground
    clouds: tuple[gateway.Cloud, ...]
    metadata: Metadata
    names: dns.Names


class Services:
    """Everything that a lab's machines find behind the clouds' names."""

    def __init__(self, folder: Path) -> None:
        self._stores = emulators.Emulators(folder)
        self._faults = folder / "faults.json"
        self._tokens = Tokens(kept(folder / "tokens.key", lambda: secrets.token_bytes(32)))
        self._material = Material(folder / "keys")
        self._authority = authority(folder)
        self._shown = Shown(self._authority)
        self._truststore = truststore.Truststore(self._authority.public())
        self._shelf = artefacts.Shelf(shelf(folder))
        self._told = self._understood(Feed(Ground(), {}))

    def tell(self, feed: Feed) -> None:
        """What stands in the clouds from now on. The same again changes nothing."""
        told = self._understood(feed)
        self._stores.follow(feed.ground)
        self._shown.extend(host for host, address in hosts(feed.ground).items() if address == GATEWAY)
        self._shown.extend(self._shelf.hosts)
        self._told = told

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Answer at every address while the body runs.

        Raises:
            SandboxError: an address is taken, or not this network's.
        """
        with contextlib.ExitStack() as ends:
            try:
                doors = [
                    gateway.serve(GATEWAY, HTTPS, gateway.Door(self._judge, self._faults), self._shown.context),
                    gateway.serve(METADATA, HTTP, gateway.Door(self._describe, self._faults), None),
                    *dns.serve(RESOLVER, DNS, lambda: self._told.names),
                ]
            except OSError as error:
                raise SandboxError(
                    f"The clouds' services cannot listen here, so no machine could boot: {error}",
                    "Run them in the lab's own network, one process a lab.",
                ) from error
            ends.callback(self._stores.close)
            ends.enter_context(self._shelf.served())
            pair = server_pair(self._authority, CLOUD_KMS_HOST)
            kms = cloudkms.CloudKms(lambda: self._told.ground, self._tokens, self._material)
            ends.callback(cloudkms.serve(CLOUD_KMS, HTTPS, kms, pair).stop, None)
            for door in doors:
                ends.callback(door.server_close)
                threading.Thread(target=door.serve_forever, daemon=True).start()
                ends.callback(door.shutdown)
            yield

    def _understood(self, feed: Feed) -> _Told:
        ground, tokens = feed.ground, self._tokens
        aws = Aws(ground, tokens, emulators.S3)
        clouds: tuple[gateway.Cloud, ...] = (
            AwsKeys(ground, tokens, self._material),
            AwsSecrets(ground, tokens),
            AzureVaults(ground, tokens, self._material),
            Transit(ground, tokens, self._material),
            GcpSecrets(ground, tokens),
            aws,
            Azure(ground, tokens, emulators.BLOB, gateway.exists),
            Gcp(ground, tokens, emulators.GCS, gateway.exists, aws),
            self._truststore,
            self._shelf,
        )
        return _Told(ground, clouds, Metadata(ground, tokens), dns.names(feed, self._shelf.hosts))

    def _judge(self, request: Request) -> Answer | Forward:
        for cloud in self._told.clouds:
            if cloud.serves(request.host):
                return cloud.handle(request)
        raise xml(404, "NoSuchHost")

    def _describe(self, request: Request) -> Answer:
        return self._told.metadata.handle(request)
