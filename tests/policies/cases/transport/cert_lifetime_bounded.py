import json

from policies.values import ABSENT
from tests.policies.case import Case

_HOUR = 3600
_SIGNED = {"allowedUses": [], "caCertPem": "c", "caPrivateKeyPem": "k", "certRequestPem": "r"}
_CONNECT = {"LeafCertTTL": "2160h", "RotationPeriod": "2160h"}

CASES = (
    *(
        Case(
            f"hashicorp:products:{product}Cluster",
            {"tls": {"certTtlHours": 2160, "rotation": how}, **({"nodes": 3} if product == "Boundary" else {})},
            {"tls.certTtlHours": (2161, 0, ABSENT), "tls.rotation": ("manual", ABSENT)},
        )
        for product, how in (
            ("Consul", "auto"),
            ("Vault", "vault-agent"),
            ("Nomad", "connect-ca"),
            ("Boundary", "cert-manager"),
        )
    ),
    *(
        Case(
            f"hashicorp:products:{product}Cluster",
            {"tls": {"certTtlHours": 1, "rotation": "auto"}, **({"nodes": 3} if product == "Boundary" else {})},
        )
        for product in ("Vault", "Boundary")
    ),
    # Workers alone have no certificate of their own.
    Case("hashicorp:products:BoundaryCluster", {"workers": {"nodes": 3}}, {"nodes": (1,)}),
    Case("hashicorp:products:BoundaryCluster", {"nodes": 0}, {"nodes": (3.0,)}),
    Case(
        "tls:index/locallySignedCert:LocallySignedCert",
        {**_SIGNED, "validityPeriodHours": 2160, "earlyRenewalHours": 1, "isCaCertificate": False},
        {"validityPeriodHours": (2161, 0), "earlyRenewalHours": (0, ABSENT)},
    ),
    Case(
        "tls:index/locallySignedCert:LocallySignedCert",
        {**_SIGNED, "validityPeriodHours": 1, "earlyRenewalHours": 1},
        {"validityPeriodHours": (2161,)},
    ),
    Case(
        "tls:index/selfSignedCert:SelfSignedCert",
        {"allowedUses": [], "privateKeyPem": "k", "validityPeriodHours": 87600, "isCaCertificate": True},
        {"validityPeriodHours": (87601,), "isCaCertificate": (False, ABSENT)},
    ),
    *(
        Case(
            "tls:index/privateKey:PrivateKey",
            {"algorithm": "ECDSA", "ecdsaCurve": curve},
            {"ecdsaCurve": ("P224", ABSENT), "algorithm": ("DSA",)},
        )
        for curve in ("P256", "P384", "P521")
    ),
    Case("tls:index/privateKey:PrivateKey", {"algorithm": "RSA", "rsaBits": 2048}, {"rsaBits": (2047, 1024)}),
    Case("tls:index/privateKey:PrivateKey", {"algorithm": "RSA"}, {"rsaBits": (1024,)}),
    Case("tls:index/privateKey:PrivateKey", {"algorithm": "ED25519"}, {"algorithm": ("ECDSA",)}),
    Case(
        "vault:pkiSecret/secretBackendRole:SecretBackendRole",
        {
            "backend": "pki",
            "maxTtl": str(2160 * _HOUR),
            "allowAnyName": False,
            "allowedDomains": ["example.com"],
            "keyType": "rsa",
            "keyBits": 2048,
        },
        {
            "maxTtl": (str(2160 * _HOUR + 1), "0", ABSENT),
            "allowAnyName": (True,),
            "allowedDomains": ([], ABSENT),
            "keyBits": (1024, 2047),
        },
    ),
    Case(
        "vault:pkiSecret/secretBackendRole:SecretBackendRole",
        {"backend": "pki", "maxTtl": "1s", "allowedDomains": ["example.com"], "keyType": "ec", "keyBits": 256},
        {"keyBits": (224, 255), "keyType": ("rsa", "any", ABSENT)},
    ),
    # Vault takes enough by itself where it is told 0.
    Case(
        "vault:pkiSecret/secretBackendRole:SecretBackendRole",
        {"backend": "pki", "maxTtl": "24h", "allowedDomains": ["example.com"], "keyType": "rsa", "keyBits": 0},
        {"keyBits": (1,)},
    ),
    *(
        Case(
            "vault:pkiSecret/secretBackendRootCert:SecretBackendRootCert",
            {"backend": "pki", "commonName": "ca", "type": "internal", "ttl": ttl},
            {"ttl": ("87601h", "0s", ABSENT)},
        )
        for ttl in ("87600h", "1s")
    ),
    Case(
        "consul:index/certificateAuthority:CertificateAuthority",
        {"connectProvider": "consul", "configJson": json.dumps(_CONNECT)},
        {
            "configJson": (
                json.dumps({**_CONNECT, "LeafCertTTL": "2161h"}),
                json.dumps({"LeafCertTTL": "72h"}),
                "{}",
                "[]",
                "no json",
            )
        },
    ),
    Case(
        "consul:index/certificateAuthority:CertificateAuthority",
        {"connectProvider": "consul", "config": _CONNECT},
        {"config.LeafCertTTL": ("2161h", ABSENT), "config.RotationPeriod": ("0s", ABSENT), "config": (ABSENT,)},
    ),
    Case(
        "consul:index/certificateAuthority:CertificateAuthority",
        {"connectProvider": "vault"},
        {"connectProvider": ("consul",)},
    ),
    Case(
        "aws:acm/certificate:Certificate",
        {"domainName": "example.com", "validationMethod": "DNS"},
        {"validationMethod": ("EMAIL", ABSENT)},
    ),
)
