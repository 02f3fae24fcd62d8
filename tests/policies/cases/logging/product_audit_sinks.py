from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_FILE = {"type": "file", "target": "/opt/consul/audit/audit.json"}
_JOURNAL = {"type": "stderr-json", "target": "journal"}
_BREAKS = {
    "audit": (ABSENT, [], UNKNOWN),
    "audit[0].type": ("stdout", "", ABSENT, UNKNOWN),
    "audit[0].target": ("", ABSENT, UNKNOWN),
    "edition": ("trial", ABSENT, UNKNOWN),
}

CASES = (
    *(
        Case(
            f"hashicorp:products:{name}Cluster",
            {"edition": "enterprise", "audit": [_FILE, _JOURNAL]},
            {**_BREAKS, "audit[0]": (ABSENT,), "audit[1].type": ("console",)},
        )
        for name in ("Consul", "Nomad")
    ),
    Case(
        "hashicorp:products:ConsulCluster",
        {"edition": "enterprise", "audit": [{"type": "syslog", "target": "local0"}]},
        {"audit[0].type": ("stderr-json",)},
    ),
    *(
        Case(
            f"hashicorp:products:{name}Cluster",
            {"edition": "community", "audit": [_FILE, _JOURNAL]},
            _BREAKS,
            advises={"audit[0]": (ABSENT,)},
        )
        for name in ("Consul", "Nomad")
    ),
    Case(
        "hashicorp:products:NomadCluster",
        {"edition": "community", "audit": [_JOURNAL]},
        {**_BREAKS, "edition": ("enterprise", UNKNOWN)},
    ),
    *(
        Case(
            "hashicorp:products:BoundaryCluster",
            {"edition": edition, "audit": [{"type": "file", "target": "/var/log/boundary/events.json"}]},
            _BREAKS,
        )
        for edition in ("community", "enterprise")
    ),
    Case("hashicorp:products:BoundaryCluster", {"edition": "enterprise", "audit": [_JOURNAL]}),
)
