"""Find environments by name among everything installed.

A package offers one by an entry point in the group "selfplay.environments" that names its class.
Nothing is imported before an environment is asked for by its name; nothing is remembered here.
"""

import difflib
from importlib.metadata import entry_points

from selfplay.problem import Environment

GROUP = "selfplay.environments"
"""The entry-point group in which packages offer environments."""


def names() -> list[str]:
    """The names of all installed environments, sorted."""
    return sorted(entry_points(group=GROUP).names)


def load(name: str) -> Environment:
    """The environment of that name.

    Raises:
        ValueError: none is installed under that name, or what is installed is no environment.
    """
    found = entry_points(group=GROUP).select(name=name)
    if not found:
        raise ValueError(_unknown(name))
    entry = next(iter(found))
    kind = entry.load()
    if not (isinstance(kind, type) and issubclass(kind, Environment)):
        raise ValueError(
            f"the entry point {name!r} leads to {entry.value}, which is no Environment class: "
            "subclass selfplay.problem.Environment."
        )
    if kind.name != name:
        raise ValueError(
            f"the entry point {name!r} leads to {entry.value}, which calls itself {kind.name!r}: "
            "the two names must be the same."
        )
    return kind()


def _unknown(name: str) -> str:
    installed = names()
    if not installed:
        return (
            f"there is no environment {name!r}: none is installed in the entry-point group "
            f"{GROUP!r}. Reinstall the package that declares it."
        )
    near = difflib.get_close_matches(name, installed)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"there is no environment {name!r}.{hint} Installed: {', '.join(installed)}."
