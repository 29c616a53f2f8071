"""What a job process does: runs one submission, one call at a time, and returns values.

Started by zygote.py in a process that is already jailed. Reads the job and then each call from the
channel, writes one reply a call. No expected value, no checker and no other call's arguments are
ever in this process, so whatever the submission does to it, it can only answer for itself.

Every call sees a freshly executed module: no state of the submission's own module survives from one
call to the next, and code at its top level runs once a call. State hidden elsewhere (in a module of
the standard library, in /tmp) does survive: the parent draws the order of the calls against that.
"""

import datetime
import io
import os
import random
import sys
import time
import types
from collections.abc import Callable
from typing import IO, Any, NoReturn

from . import prelude, values

MODULE = "submission"
"""The name that the submitted module goes by; so `if __name__ == "__main__"` does not run."""
_PRELUDE = prelude.names()  # once, in the zygote: jobs are forked with it
_HEADER = 4
_MESSAGE = 200


def serve(channel: int) -> NoReturn:
    """Answer calls until the trusted side has had enough and kills this process."""
    send, receive, answer = _send, _receive, _answer  # bound before any untrusted code runs
    job = values.from_frame(receive(channel))
    assert isinstance(job, dict)
    random.seed(job["seed"])
    sys.set_int_max_str_digits(0)  # printing a large number is slow, not wrong; time is limited
    given = dict(_PRELUDE) if job["prelude"] else {}
    given.pop(job["function"], None)  # or an empty program would have defined it
    name = "__main__" if job["script"] else MODULE
    if job["clock_shift"]:
        _shift_clock(job["clock_shift"])
    try:
        code = compile(
            job["source"].removeprefix("\ufeff"), "submission.py", "exec", dont_inherit=True
        )
    except BaseException as error:
        _refuse_all(channel, b"C" + _describe(error))
    while True:
        module = types.ModuleType(name)
        module.__dict__.update(given)
        sys.modules[name] = module  # dataclasses and typing look a class's module up there
        send(channel, answer(code, module, job["function"], job["script"], receive(channel)))


def _answer(
    code: types.CodeType, module: types.ModuleType, function: str, script: bool, call: bytes
) -> bytes:
    """The reply to one call: a letter and a payload; see `sandbox.Kind` for the letters."""
    to_frame, from_frame, refused = values.to_frame, values.from_frame, values.ValueRefused
    run = _printed if script else _returned
    try:
        arguments, named = from_frame(call)  # pyright: ignore[reportGeneralTypeIssues]
        found = run(code, module, function, arguments, named)
        if found is None:
            return b"U"
        (result,) = found
    except SystemExit:
        return b"X"
    except MemoryError:
        return b"M"
    except BaseException as error:
        return b"R" + _describe(error)
    try:
        return b"V" + to_frame(result)
    except refused as error:
        return b"T" + str(error).encode()
    except BaseException as error:
        return b"T" + _describe(error)


class _Printed(io.BytesIO):
    """What was printed, also after the program has closed its standard output."""

    def close(self) -> None:
        pass


def _opened(file: Any, mode: str = "r", *more: Any, **named: Any) -> IO[Any]:
    """As `open`; the file number 0 is the standard input that the program was given."""
    if file == 0 and type(file) is int:
        return sys.stdin.buffer if "b" in mode else sys.stdin
    return open(file, mode, *more, **named)


def _execute(code: types.CodeType, module: types.ModuleType) -> None:
    """Run the submission's top level: the one place where its text becomes code, in the jail."""
    exec(code, module.__dict__)  # noqa: S102


def _returned(
    code: types.CodeType,
    module: types.ModuleType,
    function: str,
    arguments: list[object],
    named: dict[str, object],
) -> tuple[object] | None:
    """What the function returns, which may be a method of `Solution`; None if there is none."""
    _execute(code, module)
    target = module.__dict__.get(function)
    if not callable(target) and "Solution" in module.__dict__:
        target = getattr(module.__dict__["Solution"](), function, None)
    return (target(*arguments, **named),) if callable(target) else None


def _printed(
    code: types.CodeType,
    module: types.ModuleType,
    function: str,
    arguments: list[object],
    named: dict[str, object],
) -> tuple[object] | None:
    """What the program prints when its argument stands in standard input.

    A program that prints nothing by itself may define the function: that is called, with the text
    or, if it takes no argument, without, and what it returns is the answer if it prints none.
    """
    (text,) = arguments
    raw, stopped = _Printed(), False
    sys.stdin = io.TextIOWrapper(io.BytesIO(str(text).encode()))
    sys.stdout = output = io.TextIOWrapper(raw, write_through=True)
    module.__dict__["open"] = _opened
    try:
        _execute(code, module)
    except SystemExit as error:
        stopped = True
        if error.code not in (None, 0):
            raise
    result, target = None, module.__dict__.get(function)
    if not raw.getvalue() and not stopped and callable(target):
        wants = target.__code__.co_argcount if isinstance(target, types.FunctionType) else 1
        result = target(*arguments[:wants], **named)
    if not output.closed:
        output.flush()
    printed = raw.getvalue().decode(errors="replace")
    return (result if result is not None and not printed else printed,)


def _describe(error: BaseException) -> bytes:
    """Type and message of an exception, if it lets itself be asked."""
    name = type.__dict__["__name__"].__get__(type(error))
    try:
        message = str(error)[:_MESSAGE]
    except BaseException:
        message = "?"
    return f"{name}: {message}".encode("ascii", "backslashreplace")[: 2 * _MESSAGE]


def _refuse_all(channel: int, reply: bytes) -> NoReturn:
    while True:
        _receive(channel)
        _send(channel, reply)


def _receive(channel: int) -> bytes:
    size = int.from_bytes(_read(channel, _HEADER), "big")
    return _read(channel, size)


def _read(channel: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(channel, min(size, 1 << 16))
        if not part:
            os._exit(0)  # the trusted side is gone
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _send(channel: int, reply: bytes) -> None:
    message = memoryview(len(reply).to_bytes(_HEADER, "big") + reply)
    while message:
        message = message[os.write(channel, message) :]


def _shift_clock(shift: float) -> None:
    """Move the clocks that a program can read through `time` and `datetime`, in seconds.

    Enough to expose a program that depends on the date; not a wall against one that wants to hide
    it, since C code still reads the true clock.
    """
    nanoseconds = round(shift * 1e9)
    for name in ("time", "monotonic", "perf_counter"):
        setattr(time, name, _later(getattr(time, name), shift))
        setattr(time, f"{name}_ns", _later(getattr(time, f"{name}_ns"), nanoseconds))
    for name in ("gmtime", "localtime", "ctime"):
        setattr(time, name, _at_shifted_time(getattr(time, name)))
    local, asctime, strftime = time.localtime, time.asctime, time.strftime
    time.asctime = lambda moment=None: asctime(moment or local())
    time.strftime = lambda form, moment=None: strftime(form, moment or local())
    delta = datetime.timedelta(seconds=shift)

    class ShiftedDate(datetime.date):
        @classmethod
        def today(cls) -> datetime.date:
            return super().today() + delta

    class ShiftedDatetime(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return super().now(tz) + delta

        @classmethod
        def utcnow(cls) -> datetime.datetime:
            return cls.now(datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> datetime.datetime:
            return cls.now()

    datetime.date, datetime.datetime = ShiftedDate, ShiftedDatetime


def _later(read: Callable[[], float], shift: float) -> Callable[[], float]:
    return lambda: read() + shift


def _at_shifted_time(convert: Callable[[float], object]) -> Callable[..., object]:
    return lambda moment=None: convert(time.time() if moment is None else moment)
