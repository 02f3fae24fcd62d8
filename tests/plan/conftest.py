"""Property tests without deadlines: a busy machine is no failure."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("plan", deadline=None, max_examples=50)
settings.load_profile("plan")
