"""The image that all machines share, and the thin layer that a lab puts over it.

Owns the recipe of the base (Debian 12, made once and cached by a digest of the recipe) and the layer: the lab's
certificate authorities, its resolver, what a container needs that a cloud's machine has, and, unless told otherwise,
what makes it boot faster. Nothing of a lab is in the base, and nothing of a machine in either.

Dangerous edges:
- The installation mounts /proc and /dev below the folder it fills. It runs in a mount namespace of its own, so that
  whoever removes a folder that it left cannot reach the host through them.
- A layer in use never changes: another content is another layer.

Source: mmdebstrap(1), overlayfs of the kernel's documentation.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.toolchain.cache import obtain

if TYPE_CHECKING:
    from sandbox.lab.machines.lab import Lab, Surroundings
    from sandbox.progress import Board, Step

SUITE = "bookworm"
_IMAGE = Path(__file__).parent / "image"
_PACKAGES = _IMAGE / "packages.txt"
_CUSTOMIZE = _IMAGE / "customize.sh"
_ROOT = "root"
_PROBLEMS = re.compile(r"^[EW]: .*$", re.MULTILINE)
_CERTIFICATES = "etc/ssl/certs"


def base(board: Board) -> Path:
    """The root folder of the base image, made first if it is not cached; never written to."""

    def fill(folder: Path) -> None:
        with board.step("making the machines' base image, once") as step:
            _install(folder / _ROOT, step)

    return obtain("lab-base", recipe(), fill) / _ROOT


def recipe() -> str:
    """Changes when what the base is made of does."""
    digest = hashlib.sha256(os.uname().machine.encode())
    for file in (_PACKAGES, _CUSTOMIZE):
        digest.update(file.read_bytes())
    return f"{SUITE}-{digest.hexdigest()[:12]}"


def _install(root: Path, step: Step) -> None:
    root.parent.chmod(0o755)  # the package manager reads as a user without rights
    packages = ",".join(_PACKAGES.read_text(encoding="utf-8").split())
    command = ["unshare", "--mount", "--propagation", "private", "--fork", "--kill-child", "mmdebstrap"]
    command += ["--mode=root", "--variant=minbase", f"--include={packages}", f"--customize-hook={_CUSTOMIZE}"]
    said: list[str] = []
    with subprocess.Popen(
        [*command, SUITE, str(root)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
    ) as process:  # fmt: skip
        assert process.stderr  # noqa: S101 - it is a pipe
        for line in process.stderr:
            said.append(line)
            if line.startswith("I: "):
                step.note = line.removeprefix("I: ").strip()
    if process.returncode:
        problems = _PROBLEMS.findall("".join(said)) or said
        raise SandboxError(
            "The machines' base image cannot be made:\n" + "\n".join(line.strip() for line in problems[-10:]),
            "See that this machine reaches a Debian mirror, with debian-archive-keyring installed, and try again.",
        )
    root.chmod(0o755)


def layer(lab: Lab, image: Path) -> Path:
    """The lab's layer over the base image, made if it is not there.

    Args:
        lab: whose authorities and resolver it holds.
        image: the base image, whose own trusted certificates go on counting.
    """
    surroundings = lab.surroundings
    target = lab.layers / _fingerprint(surroundings, image)
    if target.is_dir():
        return target
    lab.layers.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".new-", dir=lab.layers))
    try:
        _fill(work, surroundings, image)
        _open(work)
        work.rename(target)
    except OSError:
        shutil.rmtree(work, ignore_errors=True)
        if not target.is_dir():  # unless another process was faster
            raise
    return target


def _fingerprint(surroundings: Surroundings, image: Path) -> str:
    digest = hashlib.sha256(f"{image}\n{surroundings.trimmed}\n{surroundings.resolver}\n".encode())
    for authority in surroundings.authorities:
        digest.update(authority.encode())
    for file in sorted(_IMAGE.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(_IMAGE)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _fill(work: Path, surroundings: Surroundings, image: Path) -> None:
    shutil.copytree(_IMAGE / "common", work, symlinks=True, dirs_exist_ok=True)
    if surroundings.trimmed:
        shutil.copytree(_IMAGE / "trim", work, symlinks=True, dirs_exist_ok=True)
        _mask(work / "etc/systemd/system", _IMAGE / "masked-units.txt")
        _mask(work / "etc/systemd/system-generators", _IMAGE / "masked-generators.txt")
    # An address that refuses at once is far better than none that answers.
    resolver = surroundings.resolver or "127.0.0.1"
    (work / "etc/resolv.conf").write_text(f"nameserver {resolver}\n", encoding="ascii")
    if surroundings.authorities:
        _trust(work, image, surroundings.authorities)


def _open(work: Path) -> None:
    """Gives all of a layer the modes of a system's files, whatever umask it was checked out and made under."""
    for entry in [work, *work.rglob("*")]:
        if not entry.is_symlink():
            entry.chmod(0o755 if entry.is_dir() or entry.stat().st_mode & 0o100 else 0o644)


def _mask(folder: Path, names: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names.read_text(encoding="utf-8").split():
        (folder / name).symlink_to("/dev/null")


def _trust(work: Path, image: Path, authorities: tuple[str, ...]) -> None:
    """Puts authorities where both kinds of programs look: those that read the bundle and those that look up by hash."""
    folder = work / _CERTIFICATES
    folder.mkdir(parents=True)
    bundle = (image / _CERTIFICATES / "ca-certificates.crt").read_text(encoding="ascii")
    for number, authority in enumerate(authorities):
        text = authority.strip() + "\n"
        bundle += text
        (folder / f"lab-{number}.pem").write_text(text, encoding="ascii")
        subject = _subject_hash(text)
        place = 0
        while any(os.path.lexists(at / f"{subject}.{place}") for at in (folder, image / _CERTIFICATES)):
            place += 1
        (folder / f"{subject}.{place}").symlink_to(f"lab-{number}.pem")
    (folder / "ca-certificates.crt").write_text(bundle, encoding="ascii")


def _subject_hash(certificate: str) -> str:
    done = subprocess.run(
        ["openssl", "x509", "-noout", "-subject_hash"], input=certificate, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise SandboxError(
            f"A certificate that the lab's machines shall trust cannot be read: {done.stderr.strip()}",
            "Give each authority as one certificate in PEM.",
        )
    return done.stdout.strip()
