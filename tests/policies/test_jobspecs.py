"""Nomad jobs are read alike from HCL and JSON, whatever stands in them."""

from __future__ import annotations

import json

import pytest

from policies.concepts.jobspecs import JOB, Block, from_hcl, from_json, jobs
from policies.resource import Resource, Undecided
from policies.values import UNKNOWN

_HCL = """
# image = "commented out"
job "web" {
  datacenters = ["a", "b"] // both
  group "g" { count = 3
    update { max_parallel = 1 }
    task "t" {
      driver = "docker"
      config { image = "nginx:1@${lookup("a", "b")}" /* privileged = true */ }
      env = { A = "b", "C" : "d" }
      artifact {
        source = "https://x"
        options { checksum = "sha256:ab" }
      }
      template {
        data = <<-EOF
          # key
          x = "}"
          EOF
        destination = "a"
      }
      resources { cpu = var.large ? 1 : 2 }
    }
    dynamic "task" {
      for_each = [ { a = 1 },
        2 ]
      content { driver = "raw_exec" }
    }
  }
}
"""
_JSON = {
    "Job": {
        "ID": "web",
        "TaskGroups": [
            {
                "Name": "g",
                "Update": {"MaxParallel": 1},
                "Tasks": [
                    {
                        "Name": "t",
                        "Driver": "docker",
                        "Config": {"image": "nginx:1", "privileged": True, "Camel": [1]},
                        "Env": {"FooBar": "x"},
                        "Artifacts": [{"GetterSource": "https://x", "GetterOptions": {"checksum": "sha256:ab"}}],
                        "Resources": None,
                        "Empty": [],
                    }
                ],
            }
        ],
    }
}


def _job(**props: object) -> Resource:
    return Resource("urn:pulumi:aws::p::t::n", JOB, "n", props)


def test_hcl_is_read_into_blocks() -> None:
    (job,) = from_hcl(_HCL).within("job")
    (group,) = job.within("group")
    task, dynamic = group.every("task")
    assert (job.name, group.name, task.name) == ("web", "g", "t")
    assert job.get("datacenters") == '[ "a" , "b" ]'
    assert group.get("count") == "3"
    assert [block.get("max_parallel") for block in job.every("update")] == ["1"]
    assert (task.get("driver"), dynamic.get("driver")) == ("docker", "raw_exec")
    assert [config.values for config in task.within("config")] == [{"image": 'nginx:1@${lookup("a", "b")}'}]
    assert [env.values for env in task.within("env")] == [{"A": "b", "C": "d"}]
    assert [options.get("checksum") for options in job.every("options")] == ["sha256:ab"]
    (template,) = task.within("template")
    assert template.get("data").strip().splitlines() == ["# key", '          x = "}"']
    assert template.get("destination") == "a"
    assert [block.get("cpu") for block in task.within("resources")] == ["var.large ? 1 : 2"]


def test_json_is_read_into_the_same_blocks() -> None:
    root = from_json(json.dumps(_JSON))
    (task,) = root.every("task")
    assert (task.name, task.get("driver"), task.get("missing")) == ("t", "docker", "")
    assert [config.values for config in task.within("config")] == [
        {"image": "nginx:1", "privileged": "true", "Camel": "[1]"}
    ]
    assert [env.values for env in task.within("env")] == [{"FooBar": "x"}]
    assert [artifact.get("source") for artifact in root.every("artifact")] == ["https://x"]
    assert [options.get("checksum") for options in root.every("options")] == ["sha256:ab"]
    assert [update.get("max_parallel") for update in root.every("update")] == ["1"]
    assert task.get("empty") == "[]"
    assert "resources" not in task.values


def test_what_is_no_json_is_read_as_hcl() -> None:
    assert [task.get("driver") for task in from_json('task "t" { driver = "raw_exec" }').every("task")] == ["raw_exec"]


def test_all_texts_are_there() -> None:
    assert list(from_hcl('a = "1"\nb { c = "2" }').texts()) == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'a = "say \"x\"\n\\"', 'say "x"\n\\'),
        ('a = "one" # two', "one"),
        ("a = b.c", "b.c"),
        ('a = "x${y', '" x $ { y'),
        ("a = [1, {\n b = 2 }]", "[ 1 , { b = 2 } ]"),
        ("a == b\na = 1", "1"),
        ("a =", ""),
    ],
)
def test_an_attribute_is_its_text_or_its_expression(text: str, value: str) -> None:
    assert from_hcl(text).get("a") == value


@pytest.mark.parametrize(
    "text", ["", "}", "job", 'job "a"', 'job "a" {', "{", "a b c d", '"', "<<EOF\nx", "/* x", "= ="]
)
def test_text_that_ends_too_early_is_read_as_far_as_it_goes(text: str) -> None:
    assert isinstance(from_hcl(text), Block)


def test_a_job_without_text_has_no_blocks_and_an_unknown_one_is_undecided() -> None:
    assert jobs(_job()) == ()
    assert [task.name for root in jobs(_job(jobspec='task "t" {}')) for task in root.every("task")] == ["t"]
    (root,) = jobs(_job(jobspec='{"Tasks": [{"Name": "t"}]}', json="true"))
    assert [task.name for task in root.every("task")] == ["t"]
    for props in ({"jobspec": UNKNOWN}, {"jobspec": "", "json": UNKNOWN}):
        with pytest.raises(Undecided):
            jobs(_job(**props))
