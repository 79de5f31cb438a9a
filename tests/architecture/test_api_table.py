"""tf.keras 2's names exist with their documented parameters, have tests, and docs/api.md lists
them."""

from __future__ import annotations

import ast
import inspect

import pytest

import multikeras as keras
from tests.architecture.api_names import LIMITS, NAMES
from tests.architecture.api_table import PAGE, collect, page, shown_by

OWNERS = {"Model": keras.Model, "Sequential": keras.Sequential, "Layer": keras.layers.Layer}


def documented(signature: str) -> dict[str, object]:
    """The parameters of a signature written as source."""
    arguments = ast.parse(f"def f({signature}): ...").body[0].args  # type: ignore[attr-defined]
    names = [argument.arg for argument in arguments.args]
    defaults = [inspect.Parameter.empty] * (len(names) - len(arguments.defaults))
    defaults += [ast.literal_eval(default) for default in arguments.defaults]
    return dict(zip(names, defaults, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_there(name):
    owner, attribute = name.split(".")
    assert hasattr(OWNERS[owner], attribute) or attribute in attributes_of(owner)


def attributes_of(owner: str) -> set[str]:
    """What instances have that the class has not."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    return set(dir(model if owner != "Layer" else model.layers[0]))


# `call` is what a subclass defines; `Model` has only what stands for it.
SIGNED = [name for name, signature in NAMES.items() if signature and name != "Model.call"]


@pytest.mark.parametrize("name", SIGNED)
def test_documented_parameters_come_first_with_their_defaults(name):
    owner, attribute = name.split(".")
    parameters = dict(inspect.signature(getattr(OWNERS[owner], attribute)).parameters)
    parameters.pop("self", None)
    if {each.kind for each in parameters.values()} == {
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.VAR_KEYWORD,
    }:
        return  # takes anything: what it is about has a test
    wanted = documented(NAMES[name])
    found = {n: parameters[n].default if n in parameters else "missing" for n in wanted}
    for each, default in wanted.items():
        if default is inspect.Parameter.empty and found[each] != "missing":
            found[each] = default  # one that is needed may have a default
    assert found == wanted
    assert list(parameters)[: len(wanted)] == list(wanted)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_has_tests(name):
    found = collect()
    assert shown_by(name, found), f'nothing is marked `@pytest.mark.page("{name}")`'
    if not found[name]:
        attribute = name.split(".")[1]
        assert attribute not in vars(keras.Sequential), "Sequential has its own: test that"


def test_only_listed_names_are_marked():
    assert sorted(set(collect()) - set(NAMES)) == []
    assert sorted(set(LIMITS) - set(NAMES)) == []


def test_the_table_is_up_to_date():
    written, wanted = PAGE.read_text().splitlines(), page().splitlines()
    changed = sorted(set(written) ^ set(wanted))
    assert written == wanted, (
        "docs/api.md differs from the tests; write it with `python -m tests.architecture.api_table`"
        f". Lines that differ: {changed[:6]}"
    )
