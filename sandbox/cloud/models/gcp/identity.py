"""Google Cloud identities: service accounts, and agents of Google's that are made on request.

Source: IAM API reference, projects.serviceAccounts; IAM, "Service agents".
"""

from __future__ import annotations

from typing import Final

from sandbox.cloud.draft import Draft
from sandbox.cloud.registry import Name, model
from sandbox.cloud.wire import Value

ACCOUNT: Final = "gcp:serviceaccount/account:Account"
AGENT: Final = "gcp:projects/serviceIdentity:ServiceIdentity"

account = model(
    ACCOUNT,
    id="projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
    name=Name(
        "accountId",
        max=30,
        characters="a-z0-9-",
        lower=True,
        pattern=r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
        rule="6 to 30 lower-case letters, digits and hyphens, starting with a letter",
    ),
    immutable=("accountId",),
    handles=("email", "member", "uniqueId"),
)
agent = model(
    AGENT,
    id="projects/{project}/services/{service}",
    immutable=("service",),
    handles=("email", "member"),
)


@account.compute
def _account(draft: Draft) -> dict[str, Value]:
    """One that is made again under the same id is another account: only its address is the same."""
    email = f"{draft.get('accountId')}@{draft.scope('project')}.iam.gserviceaccount.com"
    return {
        "name": draft.id,
        "email": email,
        "member": f"serviceAccount:{email}",
        "uniqueId": draft.kept("uniqueId") or draft.fill("1{digits20}"),
    }


@agent.compute
def _agent(draft: Draft) -> dict[str, Value]:
    service = str(draft.get("service")).partition(".")[0]
    email = f"service-{draft.scope('projectNumber')}@gcp-sa-{service}.iam.gserviceaccount.com"
    return {"email": email, "member": f"serviceAccount:{email}"}
