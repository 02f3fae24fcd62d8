"""What a stack says of itself, as the engine gives it.

Owns the call of the engine. What an output means is whoever asked for it's.

Dangerous edge: an output may be secret, so no text of an answer gets into an error; only the engine's own last words do.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from runbook.errors import UNKNOWN, RunbookError

PATIENCE = 60
"""Seconds that the engine may take to say a stack's output."""


async def output(project: Path, stack: str, name: str, helps: str, *, secret: bool = False) -> str:
    """An output, as JSON.

    Args:
        project: folder of the project.
        stack: name of the stack.
        name: name of the output.
        helps: what to do where there is no engine or no backend.
        secret: whether the output is one.

    Raises:
        RunbookError: the engine does not say it.
    """
    command = ["pulumi", "stack", "output", name, "--json", "--non-interactive", "--stack", stack]
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            *(["--show-secrets"] if secret else []),
            cwd=project,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
        )
    except OSError:
        raise RunbookError(
            f"There is no `pulumi` on the PATH, so the stacks cannot be asked for their {name}.",
            f"Install it, or {helps}.",
            UNKNOWN,
        ) from None
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise _silent(stack, name, f"no answer in {PATIENCE} s", helps) from None
    if process.returncode:
        lines = err.decode(errors="replace").strip().splitlines()
        raise _silent(stack, name, lines[-1] if lines else f"exit code {process.returncode}", helps)
    return out.decode(errors="replace")


def _silent(stack: str, name: str, why: str, helps: str) -> RunbookError:
    return RunbookError(
        f"Stack {stack} does not say its {name} ({why}), so what hangs on it is unknown.",
        f"Try `pulumi stack output {name} --stack {stack}`; when the backend is lost, {helps}.",
        UNKNOWN,
    )
