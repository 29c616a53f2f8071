"""Listeners: what is told reaches everybody, in their order."""

import inspect

from selfplay.listener import Listener, Listeners

EVENTS = sorted(name for name in vars(Listener) if name.startswith("on_"))


def test_everything_is_passed_on_in_the_order_of_the_listeners():
    told = []

    def recording(own):
        methods = {
            name: lambda self, *given, name=name: told.append((own, name, given)) for name in EVENTS
        }
        return type("Recording", (Listener,), methods)()

    listeners = Listeners((recording("first"), recording("second")))
    for name in EVENTS:
        parameters = list(inspect.signature(getattr(Listener, name)).parameters)[1:]
        told.clear()
        getattr(listeners, name)(*parameters)
        assert told == [(own, name, tuple(parameters)) for own in ("first", "second")]


def test_a_listener_may_leave_out_what_it_does_not_want_to_hear():
    quiet = Listener()
    for name in EVENTS:
        parameters = list(inspect.signature(getattr(Listener, name)).parameters)[1:]
        assert getattr(quiet, name)(*parameters) is None
