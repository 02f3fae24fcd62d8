"""AWS as the platform's contract sees it."""

from components.clouds.aws.account import connect
from components.clouds.aws.alerts import Alerts
from components.clouds.aws.audit import Audit
from components.clouds.aws.balancer import Balancer
from components.clouds.aws.clients import ClientGroup
from components.clouds.aws.compute import ServerGroup
from components.clouds.aws.database import Database
from components.clouds.aws.dns import Zone
from components.clouds.aws.firewall import Firewall
from components.clouds.aws.gateway import Gateway, Tunnels
from components.clouds.aws.guest import guest
from components.clouds.aws.identity import Identities
from components.clouds.aws.network import Network
from components.clouds.aws.seal import Federation, SealKey
from components.clouds.aws.secrets import SecretStore
from components.clouds.aws.storage import Backup
from components.clouds.aws.tags import tagged
from components.clouds.contract import Kit

KIT = Kit(
    connect=connect,
    guest=guest,
    network=Network,
    identities=Identities,
    firewall=Firewall,
    key=SealKey,
    federation=Federation,
    alerts=Alerts,
    gateway=Gateway,
    tunnels=Tunnels,
    backup=Backup,
    audit=Audit,
    database=Database,
    secret_store=SecretStore,
    balancer=Balancer,
    servers=ServerGroup,
    clients=ClientGroup,
    zone=Zone,
    tagged=tagged,
)
