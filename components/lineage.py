"""What outlives every cluster: the root certificate, gossip keys, tokens, and the servers' certificates.

Owns their values. Where they are kept is the cloud's secret store; who reads them stands in `plan.secrets`.
Seal keys belong to the lineage too but are the cloud's (`clouds.*.seal`).

The primary makes the roots once, protected, and hands them on as one secret output; every other region takes
them from there and signs its own servers' certificates, so that it can be rebuilt while the primary is gone.

Dangerous edges:
- A root that is replaced cuts off every machine of three clouds. `protect` refuses it; nothing here asks for it.
- A server's certificate is not protected: renewal replaces it, every two months, by a plain update.
- Nothing here may become a plain output: values stay secret Outputs from end to end. That is why tokens are
  made of random bytes (whose id says nothing) and not of the provider's UUIDs (whose id is the value).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import pulumi
import pulumi_random as random
import pulumi_tls as tls

from components.pending import pending
from components.plan import secrets
from components.plan.certificates import subject
from components.plan.mesh import KEY_LENGTH
from components.plan.objectives import CA_HOURS, CERTIFICATE_HOURS, CERTIFICATE_RENEWAL_HOURS
from components.plan.spec import PRIMARY, Role, Stack

Values = Mapping[str, pulumi.Output[str]]
"""Secret values by entry of the secret store."""

_CURVE = "P384"
_TOKEN_BYTES = 16


def _token(raw: str) -> str:
    return str(uuid.UUID(bytes=bytes.fromhex(raw), version=4))


class Roots(pulumi.ComponentResource):
    """The platform's shared secrets, made once by the primary."""

    values: pulumi.Output[Mapping[str, str]]

    def __init__(self, name: str, stack: Stack, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = {"entries": sorted(secrets.shared_entries()), "caHours": CA_HOURS}
        super().__init__("hashicorp:lineage:Roots", name, spec, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=True)
        key = tls.PrivateKey("ca", algorithm="ECDSA", ecdsa_curve=_CURVE, opts=kept)
        certificate = tls.SelfSignedCert(
            "ca",
            private_key_pem=key.private_key_pem,
            is_ca_certificate=True,
            set_subject_key_id=True,
            validity_period_hours=CA_HOURS,
            allowed_uses=["cert_signing", "crl_signing", "digital_signature"],
            subject={"common_name": f"{stack.platform.name} root", "organization": stack.platform.domain},
            opts=kept,
        )
        values = {secrets.CA_CERTIFICATE: certificate.cert_pem, secrets.CA_KEY: key.private_key_pem}
        for entry in secrets.shared_entries():
            match secrets.ENTRIES[entry].origin:
                case "gossip":
                    values[entry] = random.RandomBytes(entry, length=secrets.GOSSIP_KEY_BYTES, opts=kept).base64
                case "token":
                    values[entry] = random.RandomBytes(entry, length=_TOKEN_BYTES, opts=kept).hex.apply(_token)
                case "tunnel-key" | "password":
                    # AWS refuses a tunnel key that starts with a zero; a letter in front suits everybody.
                    password = random.RandomPassword(entry, length=KEY_LENGTH - 1, special=False, opts=kept)
                    values[entry] = password.result.apply(lambda text: f"k{text}")
                case _:
                    pass
        self.values = pulumi.Output.secret(pulumi.Output.all(**values))
        self.register_outputs({"spec": spec})


class Certificates(pulumi.ComponentResource):
    """A certificate for each role that serves TLS in this region, signed by the platform's root."""

    values: Values

    def __init__(self, name: str, stack: Stack, roots: Values, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = {"roles": list(secrets.CERTIFIED), "hours": CERTIFICATE_HOURS, "renewalHours": CERTIFICATE_RENEWAL_HOURS}
        super().__init__("hashicorp:lineage:Certificates", name, spec, opts)
        values: dict[str, pulumi.Output[str]] = {}
        for role in secrets.CERTIFIED:
            key, certificate = self._issue(stack, role, roots)
            values[secrets.private_key_entry(role)] = key
            values[secrets.certificate_entry(role)] = certificate
        self.values = values
        self.register_outputs({"spec": spec})

    def _issue(self, stack: Stack, role: Role, roots: Values) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        named = subject(stack.platform, stack.cloud, role)
        key = tls.PrivateKey(
            role,
            algorithm="ECDSA",
            ecdsa_curve=_CURVE,
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        child = pulumi.ResourceOptions(parent=self)
        request = tls.CertRequest(
            role,
            private_key_pem=key.private_key_pem,
            subject={"common_name": named.common_name, "organization": stack.platform.domain},
            dns_names=list(named.dns),
            ip_addresses=list(named.addresses),
            opts=child,
        )
        certificate = tls.LocallySignedCert(
            role,
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=roots[secrets.CA_KEY],
            ca_cert_pem=roots[secrets.CA_CERTIFICATE],
            validity_period_hours=CERTIFICATE_HOURS,
            early_renewal_hours=CERTIFICATE_RENEWAL_HOURS,
            allowed_uses=["digital_signature", "key_encipherment", "server_auth", "client_auth"],
            set_subject_key_id=True,
            opts=child,
        )
        return key.private_key_pem, certificate.cert_pem


def handed_on(received: Mapping[str, str] | None) -> Values:
    """The primary's roots as they arrive in another region; unknown while the primary has never been up."""
    if received is None:
        return {entry: pending() for entry in secrets.shared_entries()}
    if missing := [entry for entry in secrets.shared_entries() if entry not in received]:
        raise pulumi.RunError(
            f"The primary's lineage lacks {', '.join(missing[:3])}{' and more' if missing[3:] else ''}. It was made by an "
            "older version of this program, and machines built without these roots could not do their work. "
            f"Update the primary first: pulumi up -s {PRIMARY}"
        )
    return {entry: pulumi.Output.secret(received[entry]) for entry in secrets.shared_entries()}


def split(values: pulumi.Output[Mapping[str, str]]) -> Values:
    """One secret Output of all roots as one Output an entry."""
    return {entry: values.apply(lambda known, entry=entry: known[entry]) for entry in secrets.shared_entries()}
