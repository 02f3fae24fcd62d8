"""Fetches the official Pulumi release, for machines that can reach it.

What the installer at get.pulumi.com does for one version, into the sandbox's cache instead of the home directory. A
machine without that network must not notice: connecting gives up after a few seconds and the caller builds instead.
"""

from __future__ import annotations

import platform
import tarfile
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from sandbox.toolchain import cache

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.progress import Board

RELEASES = "https://get.pulumi.com/releases/sdk"
CONNECT_SECONDS = 4.0
ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


class UnreachableError(Exception):
    """The release could not be fetched; something else must provide the engine."""


def fetch(version: str, board: Board, releases: str = RELEASES) -> Path:
    """Returns the folder of the official release of `version`.

    Raises:
        UnreachableError: no network to the releases, no release for this machine, or a broken archive.
    """
    architecture = ARCHITECTURES.get(platform.machine().lower())
    if architecture is None:
        raise UnreachableError(f"no official release for {platform.machine()}")
    url = f"{releases}/pulumi-v{version}-{platform.system().lower()}-{architecture}.tar.gz"

    def fill(folder: Path) -> None:
        with board.step(f"downloading pulumi v{version}"):
            try:
                _unpack(url, folder)
            except (urllib.error.URLError, OSError, tarfile.TarError) as error:
                raise UnreachableError(f"{url}: {error}") from error

    return cache.obtain("pulumi", version, fill)


def _unpack(url: str, folder: Path) -> None:
    """Streams the archive into `folder`, dropping the archive's own top folder."""
    with (
        urllib.request.urlopen(url, timeout=CONNECT_SECONDS) as answer,  # noqa: S310 - https, a constant host
        tarfile.open(fileobj=answer, mode="r|gz") as archive,
    ):
        for member in archive:
            _, _, inner = member.name.partition("/")
            if inner:
                archive.extract(member.replace(name=inner), folder, filter="data")
    if not (folder / "pulumi").is_file():
        raise OSError("the archive holds no pulumi")
