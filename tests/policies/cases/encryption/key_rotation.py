from policies.values import ABSENT
from tests.policies.case import Case

_ACTIONS = "properties.rotationPolicy.lifetimeActions"
_TRIGGER = f"{_ACTIONS}[0].trigger"
_EXPIRY = "properties.rotationPolicy.attributes.expiryTime"


_NOTIFY = {"action": {"type": "notify"}, "trigger": {"timeBeforeExpiry": "P30D"}}


def _azure(trigger: dict[str, str], *others: object, expiry: str = "P2Y") -> dict[str, object]:
    return {
        "resourceGroupName": "rg",
        "vaultName": "vault",
        "properties": {
            "rotationPolicy": {
                "attributes": {"expiryTime": expiry},
                "lifetimeActions": [{"action": {"type": "rotate"}, "trigger": trigger}, *others],
            }
        },
    }


CASES = (
    Case(
        "aws:kms/key:Key",
        {
            "enableKeyRotation": True,
            "rotationPeriodInDays": 365,
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        },
        {"enableKeyRotation": (False, ABSENT, "no"), "rotationPeriodInDays": (366, 89, 90.5, "often")},
    ),
    Case(
        "aws:kms/key:Key",
        {"enableKeyRotation": True, "rotationPeriodInDays": 90},
        {"enableKeyRotation": (False,), "rotationPeriodInDays": (89,)},
    ),
    Case("aws:kms/key:Key", {"enableKeyRotation": True}, {"enableKeyRotation": (ABSENT,)}),
    Case("aws:kms/key:Key", {"customerMasterKeySpec": "RSA_4096"}),
    Case(
        "azure-native:keyvault:Key",
        _azure({"timeAfterCreate": "P365D"}, _NOTIFY),
        {
            f"{_TRIGGER}.timeAfterCreate": ("P366D", "P2Y", "P13M", "P53W", "P1Y1D", "365", "P", "PT90D", 90, ABSENT),
            f"{_ACTIONS}[0].action.type": ("notify", ABSENT),
            f"{_ACTIONS}[0].action": (ABSENT,),
            _ACTIONS: (ABSENT, []),
            _EXPIRY: (ABSENT, ""),
            "properties.rotationPolicy": (ABSENT,),
        },
        indifferent=(f"{_ACTIONS}[].trigger.timeBeforeExpiry",),
    ),
    *(
        Case("azure-native:keyvault:Key", _azure({"timeAfterCreate": period}))
        for period in ("P1Y", "P12M", "P52W", "P11M4W7D")
    ),
    Case(
        "azure-native:keyvault:Key",
        _azure({"timeBeforeExpiry": "P30D"}, expiry="P395D"),
        {_EXPIRY: ("P396D", "never"), f"{_TRIGGER}.timeBeforeExpiry": ("P29D", "soon")},
    ),
    Case(
        "azure-native:compute:DiskEncryptionSet",
        {"resourceGroupName": "rg", "rotationToLatestKeyVersionEnabled": True},
        {"rotationToLatestKeyVersionEnabled": (False, ABSENT)},
    ),
    Case(
        "gcp:kms/cryptoKey:CryptoKey",
        {"keyRing": "ring", "rotationPeriod": "31536000s", "purpose": "ENCRYPT_DECRYPT"},
        {"rotationPeriod": ("31536001s", "86399s", ABSENT, "yearly")},
    ),
    Case(
        "gcp:kms/cryptoKey:CryptoKey",
        {"keyRing": "ring", "rotationPeriod": "86400s"},
        {"rotationPeriod": ("86399s", ABSENT)},
    ),
    Case("gcp:kms/cryptoKey:CryptoKey", {"keyRing": "ring", "purpose": "ASYMMETRIC_SIGN"}),
    Case(
        "vault:transit/secretBackendKey:SecretBackendKey",
        {"backend": "transit", "autoRotatePeriod": 31536000},
        {"autoRotatePeriod": (31536001, 3599, 0, ABSENT)},
    ),
    Case(
        "vault:transit/secretBackendKey:SecretBackendKey",
        {"backend": "transit", "autoRotatePeriod": 3600},
        {"autoRotatePeriod": (3599,)},
    ),
)
