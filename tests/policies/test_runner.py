"""The runner: a rule never passes because it could not decide, and never brings a preview down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from policies.conditions import PRESENT, TRUE
from policies.context import Context
from policies.exemptions import Exemptions, parse
from policies.resource import Node, Resource, World
from policies.rule import Check, Finding, Rule, across, each, need, on
from policies.session import Session
from policies.settings import Settings, read
from policies.values import UNKNOWN
from policies.verdict import on_resource
from tests.policies.case import NOON, PROJECT, urn
from tests.policies.test_exemptions import GOOD

TYPE = "aws:ebs/volume:Volume"
CONTEXT = Context(Settings(), NOON, Exemptions())
# A rule that takes exemptions, and one that takes none.
ID, STRICT = "server-class-fit", "backup-immutable"


def _resource(name: str = "boundary-worker-1", **props: object) -> Resource:
    return Resource(urn(TYPE, name), TYPE, name, props)


def _rule(*checks: Check, id_: str = ID) -> Rule:
    return Rule(id_, checks)


def test_a_broken_rule_is_a_violation_that_names_its_place_and_no_value() -> None:
    def judge(resource: Resource, _: Context) -> Iterator[Finding]:
        yield Finding("first", "is wrong")
        raise KeyError(resource.get("secret"))

    first, failed = _rule(Check((TYPE,), judge)).judge(_resource(secret="hvs.CANARY"), CONTEXT)
    assert first.problem == "is wrong"
    assert failed.kind == "violation"
    assert "KeyError at test_runner.py:" in failed.problem
    assert "CANARY" not in failed.problem


@pytest.mark.parametrize(("mode", "kind"), [("defer", "deferred"), ("fail", "violation")])
def test_an_unknown_is_deferred_or_a_violation_as_the_check_says(mode: str, kind: str) -> None:
    check = on(TYPE, need("encrypted", TRUE), unknown=mode)  # pyright: ignore[reportArgumentType]
    (found,) = _rule(check).judge(_resource(encrypted=UNKNOWN), CONTEXT)
    assert (found.kind, found.path) == (kind, "encrypted")


def test_an_unknown_reference_counts_as_present() -> None:
    assert not _rule(on(TYPE, need("kmsKeyId", PRESENT))).judge(_resource(kmsKeyId=UNKNOWN), CONTEXT)
    assert _rule(on(TYPE, need("kmsKeyId", PRESENT))).judge(_resource(), CONTEXT)


def test_an_unknown_element_does_not_hide_the_others() -> None:
    def judge(node: Node, _: Resource, __: Context) -> Iterator[Finding]:
        if node.get("open"):
            yield Finding(node.path, "is open")

    check = each(TYPE, "rules[]", judge, ("open",))
    rules = [{"open": UNKNOWN}, {"open": True}, UNKNOWN, {"open": False}]
    found = _rule(check).judge(_resource(rules=rules), CONTEXT)
    assert [(f.path, f.kind) for f in found] == [
        ("rules[0].open", "deferred"),
        ("rules[1]", "violation"),
        ("rules[2]", "deferred"),
    ]


def test_a_check_must_name_the_canonical_type() -> None:
    with pytest.raises(ValueError, match="twin"):
        on("aws:alb/loadBalancer:LoadBalancer", need("internal", TRUE))


def _with(folder: Path, *entries: object) -> Session:
    (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\n", encoding="utf-8")
    text = yaml.safe_dump({"config": {f"{PROJECT}:exemptions": list(entries)}})
    (folder / "Pulumi.aws.yaml").write_text(text, encoding="utf-8")
    return Session(folder, lambda: NOON)


def test_an_exempted_violation_blocks_nothing_and_is_said() -> None:
    context = replace(CONTEXT, exemptions=parse([GOOD], NOON.date()))
    (verdict,) = on_resource([_rule(on(TYPE, need("encrypted", TRUE)))], _resource(encrypted=False), context)
    assert verdict.level == "advisory"
    assert verdict.message.startswith("exemption-used: server-class-fit is suppressed here (encrypted must be true)")
    for said in ("CHG-1042", "platform-engineering", "30 days left", GOOD["reason"]):
        assert said in verdict.message


def test_what_takes_no_exemption_gets_none() -> None:
    context = replace(CONTEXT, exemptions=parse([{**GOOD, "rule": STRICT}], NOON.date()))
    (verdict,) = on_resource([_rule(on(TYPE, need("encrypted", TRUE)), id_=STRICT)], _resource(), context)
    assert verdict.level == "mandatory"

    def limited(_: Resource, __: Context) -> Iterator[Finding]:
        yield Finding("port", "is open", exemptible=False)

    context = replace(CONTEXT, exemptions=parse([GOOD], NOON.date()))
    (verdict,) = on_resource([_rule(Check((TYPE,), limited))], _resource(), context)
    assert verdict.level == "mandatory"


def _judge(session: Session, resource: Resource) -> World:
    session.resource([_rule(on(TYPE, need("encrypted", TRUE)))], resource, Settings())
    root = Resource(urn("pulumi:pulumi:Stack", "aws"), "pulumi:pulumi:Stack", "aws", {})
    return World((root, resource))


def test_an_exemption_in_use_is_no_violation(tmp_path: Path) -> None:
    session = _with(tmp_path, GOOD)
    assert not session.unused(_judge(session, _resource(encrypted=False)))


def test_an_exemption_that_suppresses_nothing_any_more_is_a_violation(tmp_path: Path) -> None:
    session = _with(tmp_path, GOOD)
    (verdict,) = session.unused(_judge(session, _resource(encrypted=True)))
    assert verdict.level == "mandatory"
    assert "exemptions[0] suppresses nothing any more" in verdict.message


def test_an_exemption_that_fits_no_resource_is_a_violation(tmp_path: Path) -> None:
    session = _with(tmp_path, GOOD)
    (verdict,) = session.unused(_judge(session, _resource("vault-aws-1", encrypted=False)))
    assert "matches no resource" in verdict.message


def test_an_exemption_whose_rule_was_not_asked_is_left_alone(tmp_path: Path) -> None:
    """With `--target` the engine shows the pack only some of the resources."""
    session = _with(tmp_path, GOOD)
    world = _judge(session, _resource("vault-aws-1", encrypted=True))
    assert not session.unused(World((*world.resources, _resource(encrypted=False))))


def test_an_ended_exemption_blocks_again(tmp_path: Path) -> None:
    session = _with(tmp_path, {**GOOD, "expires": NOON.date() - timedelta(days=1)})
    (verdict,) = session.resource([_rule(on(TYPE, need("encrypted", TRUE)))], _resource(encrypted=False), Settings())
    assert verdict.level == "mandatory"


def test_a_stack_finding_without_a_resource_is_about_the_stack(tmp_path: Path) -> None:
    rule = Rule(ID, (across(lambda world, _: [Finding("", f"has {len(world.resources)} resources")], (TYPE, ())),))
    session = _with(tmp_path)
    (verdict,) = session.world([rule], _judge(session, _resource(encrypted=True)), Settings())
    assert verdict.urn.endswith("pulumi:pulumi:Stack::aws")


def test_settings_are_read_by_their_names_and_refused_by_wrong_ones() -> None:
    assert read({"meshCidrs": ["10.9.0.0/16"], "organisationTrail": True}).mesh_cidrs == ("10.9.0.0/16",)
    for wrong in ({"meshcidrs": []}, {"meshCidrs": 5}, {"floors": {"consul": []}}):
        with pytest.raises(ValueError, match="setting"):
            read(wrong)
