"""A whole lab for a module of proofs, which says by `WISH` what it is made with. It is made once, and then gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.proofs.whole import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.proofs.whole import Whole


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("labs"), request.module.WISH) as lab:
        yield lab
