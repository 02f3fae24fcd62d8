from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Change, Held, Stack, StackCase, changed, without

_TARGETS = [{"cloud": "aws", "bucket": "a"}, {"cloud": "gcp", "bucket": "g"}]
_OPTIONS = "transferSpec.transferOptions"
_FACTS = {
    "complianceFacts": {
        "peersRequired": False,
        "peers": {"gcp": {"buckets": [{"name": "x"}, {"name": "g", "lockDays": 1}]}, "azure": {}},
    }
}


def _all(*changes: Change) -> Change:
    def change(stack: Stack) -> Stack:
        for each in changes:
            stack = each(stack)
        return stack

    return change


_SILENT = changed("root", "complianceFacts.peers.gcp", None)
_REQUIRED = changed("root", "complianceFacts.peersRequired", value=True)

CASES = (
    Case(
        "hashicorp:backup:BackupPlan",
        {"cloud": "aws", "targets": _TARGETS},
        {
            "targets": (_TARGETS[:1], _TARGETS[1:], [], ABSENT),
            "targets[1].cloud": ("aws", "", ABSENT),
            "targets[0].bucket": ("", ABSENT),
            "targets[1].bucket": ("",),
            "cloud": ("azure",),
        },
        advises={"targets[1].bucket": (ABSENT,)},
    ),
    Case(
        "gcp:storage/transferJob:TransferJob",
        {
            "description": "d",
            "status": "ENABLED",
            "transferSpec": {
                "awsS3DataSource": {"bucketName": "b", "awsAccessKey": {"accessKeyId": "", "secretAccessKey": ""}},
                "transferOptions": {"deleteObjectsFromSourceAfterTransfer": False, "deleteObjectsUniqueInSink": False},
            },
        },
        {
            "status": ("DISABLED", "DELETED", ""),
            f"{_OPTIONS}.deleteObjectsFromSourceAfterTransfer": (True,),
            f"{_OPTIONS}.deleteObjectsUniqueInSink": (True,),
            "transferSpec.awsS3DataSource.awsAccessKey.accessKeyId": ("AKIA",),
        },
    ),
    Case("gcp:storage/transferJob:TransferJob", {"description": "d"}),
    StackCase(
        ("component",),
        (
            Held("hashicorp:backup:BackupPlan", "plan", {"spec": {"cloud": "aws", "targets": _TARGETS}}),
            # What another plan waits for, this one does not hide.
            Held("hashicorp:backup:BackupPlan", "home", {"spec": {"cloud": "aws", "targets": _TARGETS[:1]}}),
            Held("pulumi:pulumi:Stack", "root", _FACTS),
        ),
        breaks={
            "a bucket that nobody names": changed("plan", "spec.targets[1].bucket", ABSENT),
            "a bucket that is not there": changed("plan", "spec.targets[1].bucket", "other"),
            "a bucket without a lock": changed("root", "complianceFacts.peers.gcp.buckets[1].lockDays", 0),
            "a bucket whose lock nobody knows": changed("plan", "spec.targets[1].bucket", "x"),
            "a peer that must have said something": _all(_SILENT, _REQUIRED),
            "a peer that must have said anything": _all(changed("root", "complianceFacts.peers.gcp", {}), _REQUIRED),
            "a peer of which nobody heard": _all(changed("root", "complianceFacts.peers", {}), _REQUIRED),
            "targets that are not known yet": changed("plan", "spec.targets", UNKNOWN),
            "peers that are not known yet": changed("root", "complianceFacts.peers", UNKNOWN),
        },
        advises={
            "a peer that has said nothing yet": _SILENT,
            "a peer that has said nothing at all": changed("root", "complianceFacts.peers.gcp", {}),
            "no facts": without("root"),
        },
    ),
)
