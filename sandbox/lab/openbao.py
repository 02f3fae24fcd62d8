#!/usr/bin/python3 -I
"""Stands on a lab's machines under the name `vault` where Vault was not built: reads Vault's configuration, runs OpenBao.

Owns the translation of what a boot writes into /etc/vault.d, line by line as the platform's templates write it: what
OpenBao does not have is left out, and the seal of the machine's cloud becomes a transit seal at the lab's services, with
the same key (`sandbox.lab.services.transit`). Judges nothing: what it does not know goes to OpenBao as it is, and OpenBao
refuses what it does not know. Every command but `server` is OpenBao's own.

Runs on a machine, so: the standard library, and nothing of this project.

Dangerous edges:
- Nothing registers Vault with Consul.
- OpenBao itself comes with the lab's image and not with the archive: without that layer a Vault machine boots to no server.
- A change of the configuration needs a restart; a reload reads certificates and logs anew and not this translation.

Source: components/templates/vault; OpenBao's configuration reference.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path

SERVER = "/usr/local/lib/openbao/bao"
"""OpenBao's program on a machine."""
SEAL_HOST = "transit.openbao.internal"
"""Where the lab's services answer as a transit engine; the machine's own cloud judges by its address."""
_BLOCK = re.compile(r'^(?P<kind>\w+) "(?P<label>[^"]+)" \{\n(?P<body>.*?)^\}\n', re.MULTILINE | re.DOTALL)
_SETTING = re.compile(r"^ *(\w+) *= *(.+)$", re.MULTILINE)
_LOCK = re.compile(r"^disable_mlock *=.*\n", re.MULTILINE)
# Devices are made through the API, as Vault's are.
_ADDED = "unsafe_allow_api_audit_creation = true\n"
_KEYS = {
    "awskms": "{region}/{kms_key_id}",
    "azurekeyvault": "{vault_name}/{key_name}",
    "gcpckms": "projects/{project}/locations/{region}/keyRings/{key_ring}/cryptoKeys/{crypto_key}",
}
_CONFIG = "-config="


def translated(text: str) -> str:
    """A file of Vault's configuration as OpenBao takes it.

    Raises:
        KeyError: a seal lacks an attribute that says which key it is.
    """
    return _LOCK.sub("", _BLOCK.sub(_block, text))


def _block(found: re.Match[str]) -> str:
    kind, label = found["kind"], found["label"]
    if kind == "service_registration":
        return ""
    if kind != "seal" or label not in _KEYS:
        return found[0]
    attributes = {name: json.loads(value) for name, value in _SETTING.findall(found["body"])}
    settings = {
        "address": f"https://{SEAL_HOST}",
        # Who asks is known by his address: this proves nothing and is no secret.
        "token": "none",
        "disable_renewal": "true",
        "mount_path": label,
        "key_name": _KEYS[label].format(**attributes),
    }
    lines = (f"  {name} = {json.dumps(value)}\n" for name, value in settings.items())
    return f'seal "transit" {{\n{"".join(lines)}}}\n'


def translate(source: Path, target: Path) -> None:
    """Writes a folder of translated files, or one."""
    target.mkdir()
    for file in sorted(source.glob("*.hcl")) if source.is_dir() else [source]:
        (target / file.name).write_text(translated(file.read_text(encoding="utf-8")), encoding="utf-8")
    (target / "lab.hcl").write_text(_ADDED, encoding="utf-8")


def main(words: list[str]) -> None:
    """Becomes OpenBao."""
    if words[:1] == ["server"]:
        # Its owner's alone, and gone with the unit's own /tmp.
        work = Path(tempfile.mkdtemp(prefix="openbao-"))
        for index, word in enumerate(words):
            if word.startswith(_CONFIG):
                target = work / str(index)
                translate(Path(word.removeprefix(_CONFIG)), target)
                words[index] = f"{_CONFIG}{target}"
        print("OpenBao stands in for Vault; its configuration is a translation.", file=sys.stderr, flush=True)  # noqa: T201
    os.execv(SERVER, [SERVER, *words])  # noqa: S606 - an argument list, never a shell


if __name__ == "__main__":
    main(sys.argv[1:])
