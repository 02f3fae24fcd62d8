"""Which programs the sandbox needs, how each is built, and where its version stands.

A tool's version stands once, in `go/<tool>/go.mod`, beside the sums that pin everything it is built from; this table
adds what a go.mod cannot say. A new version is a new go.mod and go.sum, nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.errors import SandboxError

GO = Path(__file__).resolve().parent / "go"


@dataclass(frozen=True)
class Tool:
    """A program built from its Go module.

    Attributes:
        module: the module whose required version is the tool's version.
        package: the main package, where it is not the module's root.
        cgo: whether it needs a C compiler.
        stamp: linker variable that carries the version, where the source does not know it.
        beside: file of another required module that belongs beside the binary, as (module, path in it).
        pins: folder of its go.mod, where it is not called as the tool: another version of the same program.
    """

    name: str
    module: str
    package: str
    cgo: bool = False
    tags: tuple[str, ...] = ()
    stamp: str = ""
    beside: tuple[str, str] | None = None
    pins: str = ""

    @property
    def directory(self) -> Path:
        """The folder of its go.mod and go.sum."""
        return GO / (self.pins or self.name)

    @property
    def version(self) -> str:
        """The version that go.mod requires, without its leading v."""
        text = (self.directory / "go.mod").read_text(encoding="utf-8")
        found = re.search(rf"^(?:require)?\s*{re.escape(self.module)} v(\S+)$", text, re.MULTILINE)
        if found is None:
            raise SandboxError(
                f"{self.directory / 'go.mod'} requires no version of {self.module}, so {self.name} cannot be built.",
                "Add the requirement, then run `go mod download` in that folder to complete go.sum.",
            )
        return found[1]


PULUMI = Tool(
    name="pulumi",
    module="github.com/pulumi/pulumi/pkg/v3",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    tags=("osusergo", "grpcnotrace"),
    stamp="github.com/pulumi/pulumi/sdk/v3/go/common/version.Version",
    beside=("github.com/pulumi/pulumi/sdk/v3", "python/cmd/pulumi-language-python-exec"),
)
CONSUL = Tool(name="consul", module="github.com/hashicorp/consul", package="github.com/hashicorp/consul")
CONSUL_PREVIOUS = replace(CONSUL, pins="consul-previous")
"""The line before, which an upgrade starts from and the templates are written for as well."""
NOMAD = Tool(name="nomad", module="github.com/hashicorp/nomad", package="github.com/hashicorp/nomad", cgo=True)
VAULT = Tool(name="vault", module="github.com/hashicorp/vault", package="github.com/hashicorp/vault")
FAKE_GCS = Tool(
    name="fake-gcs-server", module="github.com/fsouza/fake-gcs-server", package="github.com/fsouza/fake-gcs-server"
)

TOOLS = {tool.pins or tool.name: tool for tool in (PULUMI, CONSUL, CONSUL_PREVIOUS, NOMAD, VAULT, FAKE_GCS)}
