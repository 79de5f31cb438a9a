"""The tests. A package, so that a helper imports as `from tests.conformance import ...`."""
