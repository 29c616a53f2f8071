"""Finding environments by name, against made-up entry points."""

from importlib.metadata import EntryPoint, EntryPoints

import pytest
from selfplay_envs.countdown import Countdown

from selfplay import environments
from selfplay.problem import Environment


@pytest.fixture
def install(monkeypatch):
    def install(**targets):
        found = EntryPoints(
            EntryPoint(name, target, environments.GROUP) for name, target in targets.items()
        )
        monkeypatch.setattr(environments, "entry_points", lambda group: found.select(group=group))

    return install


def test_names_are_sorted_and_nothing_is_imported(install):
    install(modular="no.such.module:Modular", countdown="selfplay_envs.countdown:Countdown")
    assert environments.names() == ["countdown", "modular"]


def test_load(install):
    install(countdown="selfplay_envs.countdown:Countdown")
    environment = environments.load("countdown")
    assert isinstance(environment, Environment)
    assert type(environment) is Countdown


def test_an_unknown_name_is_told_its_neighbours(install):
    install(countdown="a:B", modular="a:B", arithmetic="a:B")
    with pytest.raises(ValueError, match="no environment 'countdwn'") as caught:
        environments.load("countdwn")
    assert "Did you mean countdown?" in str(caught.value)
    assert "Installed: arithmetic, countdown, modular." in str(caught.value)


def test_a_name_like_no_other_gets_the_list_only(install):
    install(countdown="a:B")
    with pytest.raises(ValueError, match=r"'zzz'\. Installed: countdown\."):
        environments.load("zzz")


def test_nothing_installed(install):
    install()
    assert environments.names() == []
    with pytest.raises(ValueError, match="none is installed"):
        environments.load("countdown")


def test_what_is_no_environment_is_refused(install):
    install(wrong="selfplay.problem:Problem")
    with pytest.raises(ValueError, match=r"selfplay\.problem:Problem, which is no Environment"):
        environments.load("wrong")
