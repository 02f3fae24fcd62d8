"""Nothing that servers say, or do not say, breaks the judgement or turns into health that nobody vouched for."""

from __future__ import annotations

import datetime as dt
import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan.manifest import SetFacts
from runbook.errors import FOUND, PASSED, UNKNOWN
from runbook.health import vault
from runbook.health.machines import METRICS
from runbook.health.outcome import Check, Outcome, Verdict, outcomes
from runbook.health.replies import Answered
from tests.runbook.regions import FRESH, SILENT, World, code, metrics


def test_nobody_answering_at_all_is_not_health() -> None:
    world = World()
    world.replies.clear()
    world.dials.clear()
    found = world.judged()
    assert code(found) == UNKNOWN
    fine = [outcome for outcome in found if outcome.verdict is Verdict.FINE]
    assert all(outcome.check == "tunnels declared" or _needs_no_answer(outcome) for outcome in fine), fine


def _needs_no_answer(outcome: Outcome) -> bool:
    return outcome.said.says in {
        "the primary owns access control", "has no certificate of the platform", "has no balancer",
        "its machines save nothing",
    }  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Healthy", "Servers", "data", "Status", "sealed", "is_self", "Tags", "servers"]), inner
        )
    ),
    max_leaves=6,
)


@given(st.integers(0, 10_000), JSON, st.sampled_from([200, 204, 302, 400, 403, 429, 500, 503]))
@settings(max_examples=60, deadline=None)
def test_no_answer_breaks_the_judgement_or_makes_it_better(seed: int, body: object, status: int) -> None:
    """Whatever one server says in one answer's place, the platform is not found better than with no answer there."""
    world, other = World(("aws",)), World(("aws",))
    key = random.Random(seed).choice(sorted(world.replies))  # noqa: S311 - a choice of a test
    world.drop("consul-aws-1", SILENT)
    other.drop("consul-aws-1", SILENT)
    world.replies[key] = Answered(status, json.dumps(body), FRESH)
    found = world.judged()
    assert {outcome.subject for outcome in found} == {outcome.subject for outcome in other.judged()}
    assert code(found) != PASSED


@given(st.permutations(sorted(World(("aws",)).replies)), st.integers(0, 80))
@settings(max_examples=30, deadline=None)
def test_silence_never_makes_a_finding_disappear_into_health(order: list[tuple[str, str]], count: int) -> None:
    world = World(("aws",))
    for key in order[:count]:
        world.replies[key] = SILENT
    assert code(world.judged()) in ({PASSED, UNKNOWN} if count else {PASSED})
    for server in world.servers("vault-aws"):
        world.say(server, vault.SEAL, {"initialized": True, "sealed": True, "version": "1.21.0"})
    assert code(world.judged()) == FOUND


def test_of_several_backups_the_newest_counts() -> None:
    world = World()
    world.say("vault-azure-2", METRICS, metrics("vault", "azure", dt.timedelta(days=3)), certificate=None)
    assert code(world.judged()) == PASSED


def test_what_no_promise_bounds_may_be_two_intervals_old() -> None:
    world = World()
    backup = world.regions["aws"].backup
    assert backup
    daily = SetFacts(saved="platform", interval_minutes=1440, role="consul-server", targets=("aws",))
    world.change("aws", backup=backup.model_copy(update={"sets": (daily,)}))
    for hours, wanted in ((30, PASSED), (47, PASSED), (80, FOUND)):
        world.all_say("consul-aws", METRICS, metrics("platform", "aws", dt.timedelta(hours=hours)))
        assert code(world.judged("consul", clouds=("aws",))) == wanted


def test_a_check_that_says_nothing_has_not_passed() -> None:
    (outcome,) = outcomes(Check[None]("silent", lambda _: (), ""), None, "it")
    assert outcome.verdict is Verdict.UNKNOWN


@given(st.sampled_from(["NaN", "+Inf", "-Inf", "1e308", "-1e308", "0", "-5"]), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_no_number_of_a_metric_breaks_the_judgement(value: str, line: int) -> None:
    world = World(("aws",))
    lines = metrics("vault", "aws").splitlines()
    changed = lines[line % len(lines)]
    if not changed.startswith("#"):
        lines[line % len(lines)] = f"{changed.rpartition(' ')[0]} {value}"
    world.all_say("vault-aws", METRICS, "\n".join(lines) + "\n")
    assert {one.subject for one in world.judged("vault")} == {"vault-aws"}


def test_one_region_needs_no_federation() -> None:
    world = World(("aws",))
    assert code(world.judged()) == PASSED
