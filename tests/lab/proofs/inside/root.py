"""Makes a root token of Vault at the operator's desk: an order on standard input, the token on standard output."""

from __future__ import annotations

import json
import sys

from tests.lab.proofs.writer import Cluster, Order, root_of_vault

order = Order(**json.loads(sys.stdin.readline()))
sys.stdout.write(root_of_vault(Cluster(order, "vault"), order.shares))
