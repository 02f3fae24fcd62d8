"""A machine's root: the base image, the lab's layer, and over both the machine's own files.

Owns the overlay and the user data's way into it. Who may write is the machine alone, while it runs.

Dangerous edges:
- Files below a mounted overlay may be read from outside and never written.
- The overlay does not wait for the host's disk. A host that crashes takes machines with it, and the lab begins anew.
- A folder of the machine's own hides the mode of the one below: each gets its mode here, whatever the umask.

Source: overlayfs of the kernel's documentation, cloud-init's NoCloud datasource.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.lab.world import Machine

NSPAWN = Path("/run/systemd/nspawn")
"""What systemd-nspawn keeps while a container runs, and leaves behind when it is killed."""
PROPAGATED = NSPAWN / "propagate"
LOCKS = NSPAWN / "locks"
_SEED = Path("var/lib/cloud/seed/nocloud")


class Root:
    """The root of one machine.

    Args:
        folder: the machine's.
        label: what the mount is called.
    """

    def __init__(self, folder: Path, label: str) -> None:
        self.files = folder / "upper"
        self.point = folder / "root"
        self._work = folder / "work"
        self._layers = folder / "layers"
        self._label = label

    def lay(self, machine: Machine, layers: tuple[Path, ...]) -> None:
        """Makes it, with the machine's user data in it, byte for byte."""
        self._layers.write_text("\n".join(map(str, layers)), encoding="utf-8")
        folder = self.files
        folder.mkdir()
        folder.chmod(0o755)
        for part in _SEED.parts:
            folder /= part
            folder.mkdir()
            folder.chmod(0o755)
        (folder / "user-data").touch(0o600)
        (folder / "user-data").write_bytes(machine.user_data)
        about = {"instance-id": machine.id, "local-hostname": machine.name}
        (folder / "meta-data").write_text(json.dumps(about), encoding="utf-8")

    def mount(self) -> None:
        """Mounts it.

        Raises:
            SandboxError: the kernel refuses.
        """
        # A work folder of an earlier start would forbid another one.
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir()
        self.point.mkdir(exist_ok=True)
        lower = self._layers.read_text(encoding="utf-8").replace("\n", ":")
        options = f"lowerdir={lower},upperdir={self.files},workdir={self._work},volatile"
        done = subprocess.run(
            ["mount", "-t", "overlay", self._label, "-o", options, str(self.point)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SandboxError(
                f"A machine's root cannot be mounted at {self.point}: {done.stderr.strip()}",
                "It needs root, and a folder on a file system that overlays can write to (not an overlay itself).",
            )

    def unmount(self) -> None:
        """Lets go of it, once no process uses it."""
        if os.path.ismount(self.point):
            facts = self.point.stat()
            (LOCKS / f"inode-{facts.st_dev}:{facts.st_ino}").unlink(missing_ok=True)
        while os.path.ismount(self.point):
            if subprocess.run(["umount", "--recursive", str(self.point)], capture_output=True, check=False).returncode:
                subprocess.run(["umount", "--lazy", str(self.point)], capture_output=True, check=True)
