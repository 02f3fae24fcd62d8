"""Google Cloud: one kit."""

from components.clouds.contract import Kit

from .account import connect
from .alerts import Alerts
from .audit import Audit
from .balancer import Balancer
from .clients import ClientGroup
from .compute import ServerGroup
from .dns import Zone
from .firewall import Firewall
from .gateway import Gateway, Tunnels
from .guest import guest
from .identity import Identities
from .network import Network
from .seal import SealKey
from .secrets import SecretStore
from .storage import Backup
from .tags import tagged

KIT = Kit(
    connect=connect,
    guest=guest,
    network=Network,
    identities=Identities,
    firewall=Firewall,
    key=SealKey,
    federation=None,
    alerts=Alerts,
    gateway=Gateway,
    tunnels=Tunnels,
    backup=Backup,
    audit=Audit,
    database=None,
    secret_store=SecretStore,
    balancer=Balancer,
    servers=ServerGroup,
    clients=ClientGroup,
    zone=Zone,
    tagged=tagged,
)

__all__ = ["KIT"]
