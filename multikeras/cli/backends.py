"""Which backends are installed, and which one is selected and why.

Looks at the metadata of installed packages only: never imports a framework, so it also answers
when one is broken. A backend, its importable module and the package's extra share one name.
"""

from importlib import metadata, util

from rich.console import Console
from rich.table import Table
from rich.text import Text

from multikeras import config
from multikeras.cli.output import say


def installed_version(module: str) -> str | None:
    """The version of the package that provides `module`, without importing it.

    Args:
        module: Name of a top-level module.

    Returns:
        The version; "unknown" for a module that no installed package declares; None if there is
        no such module.

    Example:
        >>> installed_version("numpy") is None
        False
        >>> installed_version("no_such_module") is None
        True
    """
    try:
        spec = util.find_spec(module)
    except ValueError:  # a module already in place without a spec
        spec = None
    if spec is None or spec.origin is None:  # no origin: just a folder of that name
        return None
    try:
        return metadata.version(module)
    except metadata.PackageNotFoundError:
        # The slower question: variants for other hardware are packages of other names.
        packages = metadata.packages_distributions().get(module)
        return metadata.version(packages[0]) if packages else "unknown"


def installed() -> dict[str, str]:
    """The version of each backend's framework, for those that are installed.

    Example:
        >>> "numpy" in installed()
        True
    """
    found = {name: installed_version(name) for name in config.BACKENDS}
    return {name: version for name, version in found.items() if version is not None}


def install_command(name: str) -> str:
    """What to type to install the framework of the backend `name`.

    Example:
        >>> install_command("jax")
        "pip install 'multikeras[jax]'"
    """
    return f"pip install 'multikeras[{name}]'"


def show(console: Console | None = None) -> int:
    """Print the table of backends and the selection.

    Args:
        console: Where to print; None means standard output.

    Returns:
        0, or 1 if the selected backend is unknown or not installed.
    """
    console = console or Console()
    versions = installed()
    try:
        selected, reason = config.choose_backend(config.read_file())
    except ValueError as error:
        selected, reason, problem = "", "", str(error)
    else:
        problem = "" if selected in versions else _missing(selected)

    table = Table("backend", "installed", "selected")
    for name in config.BACKENDS:
        version = Text(versions.get(name) or f"no: {install_command(name)}")
        table.add_row(name, version, "selected" if name == selected else "")
    console.print(table)
    if selected:
        say(console, f"Selected: {selected}, by {reason}.")
    if problem:
        say(console, problem, style="red")
    return 1 if problem else 0


def _missing(name: str) -> str:
    return f"The selected backend {name!r} is not installed. Try: {install_command(name)}"
