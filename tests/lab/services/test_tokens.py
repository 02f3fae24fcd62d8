"""Tokens and sessions: each is what it was issued as, for as long as it was issued, and to whoever has the same key."""

from __future__ import annotations

import base64
import json

from sandbox.stores.tokens import Tokens

_KEY = b"k" * 32


def test_what_is_issued_needs_no_memory_and_no_other_key_opens_it() -> None:
    issued = Tokens(_KEY)
    session = issued.session("arn:aws:iam::1:role/a", "i-1")
    bearer = issued.bearer("service", "somebody")
    assert Tokens(_KEY).opened(session.key, session.token) == session
    assert Tokens(_KEY).holder(f"Bearer {bearer}") == issued.holder(bearer)
    assert Tokens().opened(session.key, session.token) is None
    assert Tokens().holder(bearer) is None


def test_a_token_of_one_kind_is_none_of_another() -> None:
    tokens = Tokens(_KEY)
    identity = tokens.identity(
        {"iss": "x", "sub": "10.0.0.1", "aud": "service", "names": ["root"], "key": "A", "role": "r", "name": "n"}
    )
    assert tokens.claims(identity) is not None
    assert tokens.holder(identity) is None
    assert tokens.opened("A", identity) is None
    assert not tokens.admits(identity, "10.0.0.1")


def test_a_token_ends() -> None:
    over = Tokens(_KEY, life=-1)
    assert over.holder(over.bearer("service", "somebody")) is None
    assert over.claims(over.identity({"iss": "x"})) is None


def test_a_changed_claim_or_no_token_at_all_is_nobodys() -> None:
    tokens = Tokens(_KEY)
    header, body, signature = tokens.bearer("service", "somebody").split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | {"names": ["root"]}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    for token in (f"{header}.{forged}.{signature}", "", "é", "a.b.c", f"{header}.{body}.", "Bearer "):
        assert tokens.holder(token) is None, token
