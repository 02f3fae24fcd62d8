"""What is done to a real cluster of any product, and what the command must say of it."""

from __future__ import annotations

from collections.abc import Callable

from runbook.health.questions import QUESTIONS
from tests.backup.members import Administrator
from tests.runbook.real import VARIABLES, Ran, Running, healthy, least


def passes(running: Running, record_property: Callable[[str, object], None]) -> Ran:
    """A cluster that is well passes, sooner or later."""
    ran = running.until(healthy)
    assert ran.said() == []
    took = ran.document["seconds"]
    record_property("measured", f"runbook health over three real {running.made.product} servers: {took:.2f} s")
    return ran


def settled(running: Running) -> None:
    """Everybody runs, and the command is content."""
    running.made.settle()
    running.until(healthy)


def passes_by_the_least_token(running: Running) -> None:
    """What the operator's page says that a token must be allowed is enough."""
    running.until(healthy)
    token = least(running.made)
    given = {VARIABLES[running.made.product]: token}
    leader = running.made.api(running.made.leader())
    for question in QUESTIONS[running.made.product]:
        Administrator(leader.url, leader.trust, token)("GET", question.path)
    ran = running.health(tokens=given)
    assert (ran.code, ran.said()) == (0, [])


def one_lost(running: Running) -> None:
    lost = running.made.followers()[0]
    lost.kill()
    ran = running.until(lambda ran: "failure tolerance 0 of 1" in ran.said("wrong"))
    assert ran.code == 1
    assert f"{lost.spec.name} refuses connections while others answer" in ran.said("wrong")


def majority_lost(running: Running) -> None:
    for member in (running.made.leader(), *running.made.followers())[: 2 - (3 - len(running.made.running()))]:
        member.kill()
    ran = running.health()
    assert "no quorum: 1 of 3 servers are left, 2 are needed" in ran.said("wrong"), ran.said()
    assert ran.code == 1


def all_lost(running: Running) -> None:
    for member in running.made.members:
        member.kill()
    running.exporters.close()
    ran = running.health()
    assert ran.code == 3, ran.said()
    assert "no server can be reached from here: refused" in ran.said("unknown")
    assert ran.said("wrong") == []
