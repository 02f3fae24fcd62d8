"""What a cluster says of itself, as types: one dataclass a component, whose fields are its props.

A prop here is a contract with the policy pack (policy catalogue, "Component props"). Defaults are what the templates
hold for every cluster; tests compare them with rendered files.
"""

from __future__ import annotations

from dataclasses import dataclass

from components.plan.objectives import CERTIFICATE_HOURS
from components.plan.spec import Cloud, Edition


@dataclass(frozen=True)
class Zone:
    """A zone and the servers with a vote in it."""

    name: str
    voters: int


@dataclass(frozen=True)
class Image:
    """The machine image; a digest is a container's."""

    ref: str
    digest: str | None = None


@dataclass(frozen=True)
class DataDisk:
    """The disk of the raft."""

    type: str
    size_gb: int
    iops: int
    throughput_mb: int


@dataclass(frozen=True)
class Server:
    """A machine of the cluster."""

    instance_type: str
    image: Image
    data_disk: DataDisk | None
    spot: bool = False
    public_ip: bool = False
    ssh_password_auth: bool = False


@dataclass(frozen=True)
class Sink:
    """Where a product writes what was done."""

    type: str
    target: str


@dataclass(frozen=True)
class Replacement:
    """How servers are replaced."""

    rollout: tuple[str, ...]
    strategy: str = "serial"
    max_unavailable: int = 1
    health_gate: str = "autopilot"


@dataclass(frozen=True)
class Access:
    """Networks from which gossip and RPC are accepted."""

    gossip_from: tuple[str, ...]
    rpc_from: tuple[str, ...]


@dataclass(frozen=True)
class Certificates:
    """Lifetime of certificates and who renews them."""

    cert_ttl_hours: int = CERTIFICATE_HOURS
    rotation: str = "auto"


@dataclass(frozen=True)
class ConsulTls(Certificates):
    """TLS between agents."""

    verify_incoming: bool = True
    verify_outgoing: bool = True
    verify_server_hostname: bool = True
    min_version: str = "TLSv1_2"


@dataclass(frozen=True)
class NomadTls(Certificates):
    """TLS between agents and of the API, whose balancer has no client certificate."""

    http: bool = True
    rpc: bool = True
    verify_server_hostname: bool = True
    verify_https_client: bool = False
    min_version: str = "tls12"


@dataclass(frozen=True)
class Acl:
    """Access control."""

    enabled: bool = True
    default_policy: str = "deny"
    down_policy: str = "extend-cache"


@dataclass(frozen=True)
class NomadAcl:
    """Access control; Nomad knows no other default than to deny."""

    enabled: bool = True


@dataclass(frozen=True)
class Autopilot:
    """Fewest servers below which no dead one is removed."""

    min_quorum: int


@dataclass(frozen=True)
class Seal:
    """The key that unseals, and the identity that reaches it."""

    type: str
    key_ref: str | None = None
    auth: str | None = None


@dataclass(frozen=True)
class Listener:
    """A TLS listener."""

    tls_disable: bool = False
    tls_min_version: str = "tls12"


@dataclass(frozen=True)
class BoundaryListener:
    """A listener of a worker."""

    purpose: str
    tls_disable: bool
    tls_min_version: str | None
    public: bool = False


@dataclass(frozen=True)
class Keyring:
    """The key that wraps the keyring."""

    provider: str
    key_ref: str


@dataclass(frozen=True)
class Kms:
    """A key of Boundary."""

    purpose: str
    type: str
    key_ref: str
    auth: str


@dataclass(frozen=True)
class Workers:
    """Boundary's workers and from where sessions reach them."""

    nodes: int
    from_: tuple[str, ...]
    public_proxy: bool = False


@dataclass(frozen=True)
class Cluster:
    """What all clusters say."""

    cloud: Cloud
    cluster: str
    environment: str
    edition: Edition
    version: str
    server: Server
    audit: tuple[Sink, ...]
    rpo_minutes: int


@dataclass(frozen=True)
class Raft(Cluster):
    """What clusters with voters say."""

    nodes: int
    zones: tuple[Zone, ...]
    replacement: Replacement


@dataclass(frozen=True)
class ConsulCluster(Raft):
    """`hashicorp:products:ConsulCluster`."""

    access: Access
    autopilot: Autopilot
    gossip_key_ref: str
    runs_on: str = "vm"
    gossip_encryption: bool = True
    tls: ConsulTls = ConsulTls()
    acl: Acl = Acl()


@dataclass(frozen=True)
class VaultCluster(Raft):
    """`hashicorp:products:VaultCluster`."""

    seal: Seal
    runs_on: str = "vm"
    dev_mode: bool = False
    storage: str = "raft"
    listener: Listener = Listener()
    raw_storage_endpoint: bool = False
    tls: Certificates = Certificates()


@dataclass(frozen=True)
class NomadCluster(Raft):
    """`hashicorp:products:NomadCluster`."""

    access: Access
    gossip_key_ref: str
    keyring: Keyring
    runs_on: str = "vm"
    gossip_encryption: bool = True
    tls: NomadTls = NomadTls()
    acl: NomadAcl = NomadAcl()


@dataclass(frozen=True)
class BoundaryCluster(Cluster):
    """`hashicorp:products:BoundaryCluster`: the workers. `nodes` would be controllers, which the region does not have."""

    listeners: tuple[BoundaryListener, ...]
    kms: tuple[Kms, ...]
    workers: Workers
    runs_on: str = "vm"
    dev_mode: bool = False
