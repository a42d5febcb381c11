"""Properties say what holds, not how fast: a loaded machine breaks no promise."""

from hypothesis import settings

settings.register_profile("core", deadline=None)
settings.load_profile("core")
