from policies.resource import Provider
from policies.settings import Settings
from policies.values import ABSENT
from tests.policies.case import Case

_REGIONS = list(Settings().approved_regions)
_GCP = "pulumi:providers:gcp"


def _of(package: str, **settings: str) -> Provider:
    return Provider(f"pulumi:providers:{package}", settings)


def _bucket(location: str) -> dict[str, object]:
    return {"name": "state", "location": location}


_BACKUPS = ("hashicorp:clouds:BackupBucket",)

CASES = (
    Case(
        "aws:ec2/vpc:Vpc",
        {"region": "us-west-2", "cidrBlock": "10.1.0.0/16"},
        {"region": ("eu-west-1", "US-WEST-2", 5)},
    ),
    Case("aws:ec2/vpc:Vpc", {"cidrBlock": "10.1.0.0/16"}, provider=_of("aws", region="us-east-2")),
    Case(
        "aws:ec2/vpc:Vpc",
        {"region": "us-west-2", "cidrBlock": "10.1.0.0/16"},
        {"region": (ABSENT,)},
        provider=_of("aws", region="eu-west-1"),
    ),
    Case("aws:ec2/vpc:Vpc", {"cidrBlock": "10.1.0.0/16"}),
    Case(
        "pulumi:providers:aws",
        {"region": "us-west-2", "allowedAccountIds": '["123456789012"]'},
        {"region": ("eu-west-1", ABSENT)},
        advises={"allowedAccountIds": ("[]", "no json", ABSENT, [])},
    ),
    Case(
        "azure-native:compute:Disk",
        {"location": "West US 2", "resourceGroupName": "rg", "creationData": {"createOption": "Empty"}},
        {"location": ("westeurope", "West Europe")},
    ),
    Case(
        "azure-native:compute:Disk",
        {"location": "westcentralus", "resourceGroupName": "rg", "creationData": {"createOption": "Empty"}},
        {"location": (ABSENT,)},
        provider=_of("azure-native", location="westeurope"),
    ),
    Case(
        "azure-native:privatedns:PrivateZone",
        {"location": "Global", "resourceGroupName": "rg"},
        {"location": ("westeurope",)},
    ),
    Case("pulumi:providers:azure-native", {"location": "westus2"}, {"location": ("westeurope",)}),
    Case(
        "gcp:compute/subnetwork:Subnetwork",
        {"region": "us-west1", "network": "n", "ipCidrRange": "10.3.0.0/20"},
        {"region": ("europe-west1",)},
    ),
    Case(
        "gcp:compute/disk:Disk",
        {"zone": "https://www.googleapis.com/compute/v1/projects/p/zones/us-west1-a"},
        {"zone": ("europe-west1-b", "zones/europe-west1-b", "us-west2-a")},
    ),
    Case("gcp:compute/disk:Disk", {"zone": "US-Central1-f"}),
    Case("gcp:kms/keyRing:KeyRing", {"location": "us"}, {"location": ("europe", "eur4", "asia1", "asia")}),
    Case("gcp:kms/keyRing:KeyRing", {"location": "nam4"}, {"location": ("mars",)}),
    Case("gcp:kms/keyRing:KeyRing", {"location": "global"}),
    *(
        Case(
            "gcp:kms/keyRing:KeyRing",
            {"location": place},
            {"location": ("us", "nam4", "asia1")},
            settings=Settings(approved_regions=("europe-west1",)),
        )
        for place in ("eur4", "eu", "europe")
    ),
    Case(
        "gcp:kms/keyRing:KeyRing",
        {"location": "asia"},
        {"location": ("eu",)},
        settings=Settings(approved_regions=("asia-east1",)),
    ),
    Case("gcp:storage/bucket:Bucket", _bucket("US-WEST1"), {"location": ("US", "NAM4", "EU")}),
    Case("gcp:storage/bucket:Bucket", _bucket("US"), {"location": ("EU",)}, above=_BACKUPS),
    Case(
        "gcp:storage/bucket:Bucket",
        {**_bucket("US"), "customPlacementConfig": {"dataLocations": ["US-WEST1", "US-CENTRAL1"]}},
        {"customPlacementConfig.dataLocations[1]": ("US-EAST1",)},
        above=_BACKUPS,
    ),
    Case(
        _GCP,
        {"region": "us-west1", "project": "example"},
        {"region": ("europe-west1", ABSENT)},
        advises={"project": ("", ABSENT)},
        indifferent=("project",),
    ),
    # Where something is made, the project is pinned.
    Case("gcp:compute/disk:Disk", {"zone": "us-west1-a"}, {"zone": ("mars",)}, provider=_of("gcp", project="example")),
    Case(
        "gcp:compute/disk:Disk",
        {"zone": "us-west1-a", "project": "example"},
        {"project": (ABSENT, "")},
        indifferent=("project",),
        provider=_of("gcp", region="us-west1"),
    ),
    Case(
        "hashicorp:compliance:Facts",
        {"region": "us-west-2", "approvedRegions": _REGIONS},
        {
            "region": ("eu-west-1", ABSENT),
            "approvedRegions": ([*_REGIONS, "eu-west-1"], _REGIONS[1:], ABSENT),
            "approvedRegions[0]": ("eu-west-1",),
        },
    ),
)
