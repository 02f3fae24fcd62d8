from policies.values import ABSENT
from tests.policies.case import Case

_DAY, _MONTH = 24 * 3600, 30 * 24 * 3600
_TTL = (0, _DAY + 1, "never", ABSENT)
_MAX = (0, _MONTH + 1, ABSENT)
_TEXT = ("0s", "720h1s", "", ABSENT)


def _role(method: str, **more: object) -> Case:
    return Case(
        f"vault:{method}/authBackendRole:AuthBackendRole",
        {"tokenTtl": _DAY, "tokenMaxTtl": _MONTH, **more},
        {"tokenTtl": _TTL, "tokenMaxTtl": _MAX},
    )


_CIDRS = {"secretIdBoundCidrs": ["10.1.0.0/20", "10.3.1.0/24"]}

CASES = (
    Case(
        "vault:index/token:Token",
        {"ttl": "24h", "explicitMaxTtl": "720h"},
        {"ttl": ("25h", "0s", ABSENT), "explicitMaxTtl": ("721h", "0s")},
    ),
    Case("vault:index/token:Token", {"ttl": "1s"}, {"period": ("1h",)}),
    Case(
        "vault:index/token:Token",
        {"period": "24h", "explicitMaxTtl": "720h"},
        {"period": ("24h1s", "0s", ABSENT), "explicitMaxTtl": ("721h", ABSENT)},
    ),
    Case(
        "vault:appRole/authBackendRole:AuthBackendRole",
        {
            "roleName": "r",
            "tokenTtl": 1,
            "tokenMaxTtl": 1,
            "secretIdTtl": _MONTH,
            "secretIdNumUses": 1,
            **_CIDRS,
        },
        {
            "tokenTtl": _TTL,
            "tokenMaxTtl": _MAX,
            "secretIdTtl": _MAX,
            "secretIdBoundCidrs": ([], ABSENT),
            "secretIdBoundCidrs[1]": ("10.4.0.0/16", "0.0.0.0/0"),
        },
        advises={"secretIdNumUses": (0, ABSENT)},
    ),
    _role("kubernetes", roleName="r", boundServiceAccountNames=["a"]),
    _role("jwt", roleName="r", userClaim="sub"),
    _role("aws", role="r"),
    _role("azure", role="r"),
    _role("gcp", role="r", type="gce"),
    Case(
        "vault:tokenauth/authBackendRole:AuthBackendRole",
        {"roleName": "r", "tokenExplicitMaxTtl": _MONTH, "tokenPeriod": _DAY},
        {"tokenExplicitMaxTtl": _MAX, "tokenPeriod": _TTL},
    ),
    Case(
        "consul:index/aclToken:AclToken",
        {"expirationTime": "2027-11-21T12:00:00Z"},
        {"expirationTime": ("2027-11-21T12:00:01Z", "2027-01-01T00:00:00", "soon", ABSENT)},
    ),
    Case("consul:index/aclAuthMethod:AclAuthMethod", {"type": "jwt", "maxTokenTtl": "720h"}, {"maxTokenTtl": _TEXT}),
    Case("nomad:index/aclToken:AclToken", {"type": "client", "expirationTtl": "1s"}, {"expirationTtl": _TEXT}),
    Case(
        "nomad:index/aclAuthMethod:AclAuthMethod",
        {"type": "JWT", "tokenLocality": "local", "maxTokenTtl": "1h", "config": {}},
        {"maxTokenTtl": _TEXT},
    ),
)
