"""Settings for all tests."""

from hypothesis import HealthCheck, settings

# In a fresh checkout the first text drawn builds a table of characters, which takes a second.
settings.register_profile("qwasmc", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("qwasmc")
