"""Programs on the real engine that act on a real Vault, Consul and Nomad, looked at through the products themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.harness import Sandbox, Stack
from tests.sandbox.acting.conftest import Products, trial

pytestmark = [pytest.mark.engine, pytest.mark.binaries]

SECRET = "correct-horse-battery"
DECLARED = """
word = os.environ.get("WORD", "first")
password = pulumi.Output.secret("correct-horse-battery")
vault.Policy("reader", name="reader", policy='path "kv/*" { capabilities = ["read"] } # ' + word, opts=on_vault)
vault.Audit("audit", type="file", path="trail", options={"file_path": "discard"}, opts=on_vault)
kv = vault.Mount("kv", path="kv", type="kv-v2", description=word, default_lease_ttl_seconds=3600, opts=on_vault)
secret = vault.kv.SecretV2("secret", mount=kv.path, name="apps/one", custom_metadata={"max_versions": 5},
    data_json=password.apply(lambda it: json.dumps({"password": it, "word": word})), opts=on_vault)
cert = vault.AuthBackend("cert", type="cert", path="machines", description=word,
    tune={"max_lease_ttl": "1h", "token_type": "service"}, opts=on_vault)
vault.CertAuthBackendRole("role", backend=cert.path, name="agents", certificate=open(at["authority"]).read(),
    allowed_common_names=["b.example", "a.example"], token_policies=["reader", "agents"], token_ttl=600, opts=on_vault)

rules = consul.AclPolicy("rules", name="rules", description=word, rules='key_prefix "apps/" { policy = "read" }', opts=on_consul)
token = consul.AclToken("token", description=word, policies=[rules.name], opts=on_consul)
pulumi.export("consul", consul.get_acl_token_secret_id_output(accessor_id=token.accessor_id,
    opts=pulumi.InvokeOptions(provider=on_consul.provider)).secret_id)
consul.Keys("keys", opts=on_consul, keys=[{"path": "apps/word", "value": word, "delete": True},
    {"path": "apps/password", "value": password, "delete": True}, {"path": "apps/kept", "value": "kept"}])
consul.ConfigEntry("web", kind="service-defaults", name="web", config_json=json.dumps({"Protocol": "http", "Meta": {"word": word}}),
    opts=on_consul)

space = nomad.Namespace("space", name="space", description=word, meta={"owner": "trial"}, opts=on_nomad)
submit = nomad.AclPolicy("submit", name="submit", description=word, rules_hcl='namespace "space" { policy = "write" }', opts=on_nomad)
worker = nomad.AclToken("worker", name="worker", type="client", policies=[submit.name], opts=on_nomad)
nomad.Variable("variable", path="apps/one", namespace=space.name, items={"password": password, "word": word}, opts=on_nomad)
pulumi.export("nomad", worker.secret_id)
"""


@pytest.fixture
def declared(sandbox: Sandbox, products: Products) -> Iterator[Stack]:
    stack = trial(sandbox, "declared", DECLARED)
    yield stack
    stack.destroy()


def words(products: Products) -> list[str]:
    """The word that the program puts wherever it can change, as each product tells it."""
    vault, consul, nomad = products.vault, products.consul, products.nomad
    return [
        vault.told("policy", "read", "reader")["policy"].rpartition(" ")[2],
        vault.told("secrets", "list")["kv/"]["description"],
        vault.told("auth", "list")["machines/"]["description"],
        vault.told("kv", "get", "-mount=kv", "apps/one")["data"]["data"]["word"],
        consul.told("acl", "policy", "read", "-name=rules", "-format=json")["Description"],
        consul.cli("kv", "get", "apps/word").strip(),
        consul.told("config", "read", "-kind=service-defaults", "-name=web")["Meta"]["word"],
        nomad.told("namespace", "inspect", "space")["Description"],
        next(one["Description"] for one in nomad.told("acl", "policy", "list", "-json") if one["Name"] == "submit"),
        nomad.told("var", "get", "-namespace=space", "-out=json", "apps/one")["Items"]["word"],
    ]


def test_what_a_program_declares_lives_and_ends_in_the_products(products: Products, declared: Stack) -> None:
    vault, consul, nomad, env = products.vault, products.consul, products.nomad, products.environment()
    declared.preview(env=env)
    assert "reader" not in vault.told("policy", "list")

    declared.up(env=env)
    assert words(products) == ["first"] * 10
    assert vault.told("audit", "list")["trail/"]["options"] == {"file_path": "discard"}
    assert vault.told("read", "auth/machines/certs/agents")["data"]["token_ttl"] == 600
    outputs = declared.outputs()
    assert consul.bearing(outputs["consul"]).told("acl", "token", "read", "-self", "-format=json")["Policies"]
    assert "submit" in nomad.bearing(outputs["nomad"]).cli("acl", "token", "self")

    assert set(declared.up(env=env).changes) == {"same"}
    assert set(declared.refresh(env=env).changes) == {"same"}

    declared.up(env=env | {"WORD": "second"})
    assert words(products) == ["second"] * 10
    assert vault.told("kv", "get", "-mount=kv", "apps/one")["data"]["metadata"]["version"] == 2
    assert outputs == declared.outputs()

    vault.cli("write", "auth/machines/certs/agents", "token_policies=agents,reader")
    assert set(declared.refresh(env=env).changes) == {"same"}, "the order of policies means nothing"

    declared.destroy()
    assert "reader" not in vault.told("policy", "list")
    assert not vault.told("secrets", "list").keys() & {"kv/"}
    assert not vault.told("auth", "list").keys() & {"machines/"}
    assert "rules" not in consul.cli("acl", "policy", "list")
    assert consul.cli("kv", "get", "-keys", "apps/").split() == ["apps/kept"]
    assert "web" not in consul.cli("config", "list", "-kind=service-defaults")
    assert "space" not in [each["Name"] for each in nomad.told("namespace", "list", "-json")]
    assert "submit" not in nomad.cli("acl", "policy", "list")
    assert "worker" not in nomad.cli("acl", "token", "list")


def test_a_refresh_sees_what_was_changed_or_removed_behind_its_back_and_the_next_up_mends_it(
    products: Products, declared: Stack
) -> None:
    vault, consul, nomad, env = products.vault, products.consul, products.nomad, products.environment()
    declared.up(env=env)
    vault.cli("policy", "write", "reader", "-", stdin='path "kv/*" { capabilities = ["sudo"] } # other')
    vault.cli("kv", "put", "-mount=kv", "apps/one", "word=other", "password=stolen")
    vault.cli("write", "auth/machines/certs/agents", "token_ttl=1")
    vault.cli("audit", "disable", "trail")
    consul.cli("acl", "policy", "update", "-name=rules", "-description=other")
    consul.cli("kv", "put", "apps/word", "other")
    consul.cli("config", "write", "-", stdin='{"Kind": "service-defaults", "Name": "web", "Protocol": "tcp"}')
    nomad.cli("namespace", "apply", "-description=other", "space")
    nomad.cli("var", "put", "-force", "-namespace=space", "apps/one", "word=other")
    nomad.cli("acl", "policy", "delete", "submit")

    seen = declared.refresh(env=env).changes
    assert seen["update"] == 8
    assert seen["delete"] == 2
    declared.up(env=env)
    assert words(products) == ["first"] * 10
    assert "trail/" in vault.told("audit", "list")
    assert vault.told("read", "auth/machines/certs/agents")["data"]["token_ttl"] == 600
    assert set(declared.refresh(env=env).changes) == {"same"}


def test_no_secret_is_in_clear_in_the_engines_state_or_the_simulated_clouds_folder(
    sandbox: Sandbox, products: Products, declared: Stack
) -> None:
    declared.up(env=products.environment())
    outputs = declared.outputs()
    products.vault.cli("kv", "put", "-mount=kv", "apps/one", "password=stolen-on-the-way")
    declared.refresh(env=products.environment())
    text = json.dumps(declared.export())
    kept = [path.read_bytes() for path in sandbox.home.cloud.iterdir() if path.is_file()]
    program = products.environment()["TOKENS"]
    for secret in [SECRET, "stolen-on-the-way", *outputs.values(), *json.loads(program).values()]:
        assert secret not in text
        assert not [content for content in kept if secret.encode() in content]


@pytest.mark.parametrize(
    ("product", "resource", "setting"),
    [
        ("vault", 'vault.Policy("it", policy="# none", opts=on_vault)', "`token`"),
        ("consul", 'consul.AclPolicy("it", rules="", opts=on_consul)', "`token`"),
        ("nomad", 'nomad.Namespace("it", opts=on_nomad)', "`secretId`"),
    ],
)
def test_a_wrong_token_is_named_by_its_setting_and_not_by_its_value(
    sandbox: Sandbox, products: Products, product: str, resource: str, setting: str
) -> None:
    wrong = "0bad0bad-0bad-4bad-8bad-0bad0bad0bad"
    result = trial(sandbox, f"wrong-{product}", resource).up(env=products.environment(**{product: wrong}), fails=True)
    said = "\n".join(item.message for item in result.diagnostics)
    assert f"{product.title()} at " in said
    assert "403" in said
    assert setting in said
    assert wrong not in said


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ('vault.Token("it", opts=on_vault)', "vault:index/token:Token is not made on a real Vault"),
        ('nomad.Namespace("it", quota="small", opts=on_nomad)', "does not see to 'quota' on a real Nomad"),
        ('consul.Provider("it", address="127.0.0.1:1", http_auth="a:b")', "does not obey 'httpAuth' on a real Consul"),
        ('vault.Provider("it", address="127.0.0.1")', "it takes the form https://host:port"),
    ],
)
def test_what_would_not_be_done_is_refused_at_preview(
    sandbox: Sandbox, products: Products, resource: str, words: str
) -> None:
    result = trial(sandbox, "refused", resource).preview(env=products.environment(), fails=True)
    assert words in "\n".join(item.message for item in result.diagnostics)


@pytest.mark.parametrize(
    ("type_", "address", "words"),
    [
        (
            "vault.Policy",
            "'http://127.0.0.1:1'",
            ["Vault at http://127.0.0.1:1 gave no answer", "correct the provider's `address`"],
        ),
        ("consul.Keys", "'127.0.0.1:1'", ["Consul at http://127.0.0.1:1 gave no answer", "refused"]),
        ("nomad.AclToken", "'http://127.0.0.1:1'", ["Nomad at http://127.0.0.1:1 gave no answer", "refused"]),
        ("vault.Policy", "at['vault']", ["Name the CA that signed its certificate in the provider's `caCertFile`"]),
        ("nomad.AclToken", "at['vault']", ["Name the CA that signed its certificate in the provider's `caFile`"]),
    ],
)
def test_a_product_without_an_answer_is_an_error_that_says_what_to_do(
    sandbox: Sandbox, products: Products, type_: str, address: str, words: list[str]
) -> None:
    inputs = {"vault.Policy": 'policy="# none"', "consul.Keys": 'keys=[{"path": "a", "value": "b"}]'}
    source = f"""
provider = {type_.partition(".")[0]}.Provider("silent", address={address})
{type_}("silent", {inputs.get(type_, 'type="management"')}, opts=pulumi.ResourceOptions(provider=provider))
"""
    result = trial(sandbox, "silent", source).up(env=products.environment(), fails=True)
    said = "\n".join(item.message for item in result.diagnostics)
    assert all(word in said for word in words), said


def test_what_keeps_its_place_is_deleted_before_it_is_replaced(sandbox: Sandbox, products: Products) -> None:
    source = 'vault.Mount("it", path="place", type=os.environ.get("TYPE", "kv"), opts=on_vault)'
    stack, env = trial(sandbox, "place", source), products.environment()
    stack.up(env=env)
    stack.up(env=env | {"TYPE": "transit"})
    assert products.vault.told("secrets", "list")["place/"]["type"] == "transit"
    stack.destroy()
    assert "place/" not in products.vault.told("secrets", "list")


def test_what_was_made_and_could_not_be_read_is_remembered_and_finished_by_the_next_up(
    sandbox: Sandbox, products: Products
) -> None:
    rules = 'path "sys/policies/acl/half" { capabilities = ["create", "update"] }'
    products.vault.cli("policy", "write", "writer", "-", stdin=rules)
    blind = products.vault.told("token", "create", "-policy=writer")["auth"]["client_token"]
    stack = trial(sandbox, "half", 'vault.Policy("half", name="half", policy="# none", opts=on_vault)')
    result = stack.up(env=products.environment(vault=blind), fails=True)
    said = "\n".join(item.message for item in result.diagnostics)
    assert "half was made, but then could not be read" in said
    assert blind not in said
    assert "half" in products.vault.told("policy", "list")
    assert stack.up(env=products.environment()).changes.get("update")
    stack.destroy()
    assert "half" not in products.vault.told("policy", "list")
    products.vault.cli("policy", "delete", "writer")


def test_an_address_that_is_only_known_later_is_acted_on_then(sandbox: Sandbox, products: Products) -> None:
    source = """
import pulumi_random as random
later = random.RandomId("later", byte_length=4).hex.apply(lambda _: at["vault"])
provider = vault.Provider("later", address=later, token=tokens["vault"], ca_cert_file=at["authority"])
vault.Policy("later", name="later", policy="# none", opts=pulumi.ResourceOptions(provider=provider))
"""
    stack = trial(sandbox, "later", source)
    stack.preview(env=products.environment())
    stack.up(env=products.environment())
    assert "later" in products.vault.told("policy", "list")
    stack.destroy()
    assert "later" not in products.vault.told("policy", "list")


def test_without_an_address_a_package_is_a_record(sandbox: Sandbox, products: Products) -> None:
    source = """
record = pulumi.ResourceOptions(provider=vault.Provider("record"))
vault.Policy("recorded", policy="", opts=record)
vault.Token("recorded", opts=record)
"""
    stack = trial(sandbox, "recorded", source)
    stack.up(env=products.environment())
    assert len(sandbox.existing("vault:*")) == 2
    assert not [name for name in products.vault.told("policy", "list") if name.startswith("recorded")]
    stack.destroy()
    assert not sandbox.existing("vault:*")


def test_what_exists_already_can_be_imported(sandbox: Sandbox, products: Products) -> None:
    products.vault.cli("policy", "write", "older", "-", stdin='path "a" { capabilities = ["read"] }')
    products.nomad.cli("var", "put", "old/er", "word=hidden-since-long")
    source = """
def imported(options, id):
    return pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(import_=id if os.environ.get("IMPORT") else None))
vault.Policy("it", name="older", policy='path "a" { capabilities = ["read"] }', opts=imported(on_vault, "older"))
nomad.Variable("it", path="old/er", namespace="default", items={"word": "hidden-since-long"}, opts=imported(on_nomad, "old/er@default"))
"""
    stack, env = trial(sandbox, "imported", source), products.environment()
    assert stack.up(env=env | {"IMPORT": "yes"}).changes.get("import") == 2
    assert set(stack.up(env=env).changes) == {"same"}
    assert "hidden-since-long" not in json.dumps(stack.export())
    stack.destroy()
    assert "older" not in products.vault.told("policy", "list")


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (
            'vault.Policy("it", policy=rules("path \\"a\\" { capabilities = [\\"%s\\"] }"), opts=on_vault)',
            "answered 400: failed to parse policy",
        ),
        ('consul.AclPolicy("it", rules=rules("%s {"), opts=on_consul)', "answered 500: Failed to parse ACL rules"),
        (
            'nomad.AclPolicy("it", rules_hcl=rules("namespace \\"a\\" { policy = \\"%s\\" }"), opts=on_nomad)',
            "answered 400: ",
        ),
    ],
)
def test_what_a_product_refuses_is_told_in_its_own_words_and_without_secrets(
    sandbox: Sandbox, products: Products, resource: str, words: str
) -> None:
    source = f"""
def rules(form):
    return pulumi.Output.secret("hidden-in-the-rules").apply(lambda word: form % word)
{resource}
"""
    result = trial(sandbox, "mistaken", source).up(env=products.environment(), fails=True)
    said = "\n".join(item.message for item in result.diagnostics)
    assert words in said
    assert "Correct what the answer names" in said
    assert "hidden-in-the-rules" not in said
