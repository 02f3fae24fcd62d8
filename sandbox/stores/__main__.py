"""Serves the stores in the network that this process is in: `python -m sandbox.stores FOLDER`.

FOLDER holds `ground.json` and the certificates; `faults.json` may appear in it. Says `ready`, and ends when its
standard input does, so that no store outlives who started it.
"""

from __future__ import annotations

import functools
import ssl
import sys
import threading
from pathlib import Path

from . import certificates, emulators, gateway, namespace
from .aws import Aws
from .azure import Azure
from .exchange import Answer, Forward, Request, xml
from .gcp import Gcp
from .ground import load
from .metadata import Metadata
from .tokens import Tokens


def judge(clouds: tuple[gateway.Cloud, ...], request: Request) -> Answer | Forward:
    """The judgement of the cloud whose host is asked."""
    for cloud in clouds:
        if cloud.serves(request.host):
            return cloud.handle(request)
    raise xml(404, "NoSuchHost")


def main(work: Path) -> None:
    """Serve until the input ends."""
    ground = load((work / "ground.json").read_text(encoding="utf-8"))
    tokens = Tokens()
    aws = Aws(ground, tokens, emulators.S3)
    azure = Azure(ground, tokens, emulators.BLOB, gateway.exists)
    gcp = Gcp(ground, tokens, emulators.GCS, gateway.exists, aws)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(work / certificates.SERVER)
    faults = work / "faults.json"
    with emulators.running(ground, work):
        doors = [
            gateway.serve(
                namespace.GATEWAY, 443, gateway.Door(functools.partial(judge, (aws, azure, gcp)), faults), tls
            ),
            gateway.serve(namespace.METADATA, 80, gateway.Door(Metadata(ground, tokens).handle, faults), None),
        ]
        for door in doors:
            threading.Thread(target=door.serve_forever, daemon=True).start()
        print("ready", flush=True)  # noqa: T201 - what the starter waits for
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
