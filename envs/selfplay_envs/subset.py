r"""A small subset of Python, in which the program environments write, with its own interpreter.

A program is one function `f` of one to three parameters. Names are single letters. Values are whole
numbers, lists of them, and strings of lower-case letters.

    statements   x = e, x += e (-= *= //= %=), x.append(e), if/else, for x in e, while, return e;
                 the last one is a return
    expressions  + - * // % on numbers, + on strings and on lists, comparisons, in, and/or/not,
                 e if c else e, x[i], x[i:j:k], [e, ...], [e for x in e if c],
                 abs len max min range sum sorted, x.count(e)

The canonical text has one space of indentation and none around operators. The interpreter here
bounds steps and sizes, so it may run what a model wrote; it gives worked solutions their traces and
golds their second route. What a solver writes is not read here: it may be any Python, in the
sandbox.
"""

import ast
import copy
import operator
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from selfplay.problem import InvalidProblem

MAX_TEXT = 600
"""Longest program that is read, in characters."""
MAX_STEPS = 200
"""Most statements that a run executes."""
MAX_WORK = 5_000
"""Most expressions that a run evaluates."""
MAX_NUMBER = 10**9
"""Largest absolute value of a number on the way."""
MAX_LENGTH = 40
"""Longest list or string on the way."""

Value = int | str | list[int]
Step = tuple[str, str]
"""What a step set or decided, and its value: ("c=3*2", "6"), ("6>4", "True")."""

_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_COMPARISONS: dict[type[ast.AST], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}  # fmt: skip


def _range(*ends: int) -> list[int]:
    """What range() runs through, if that is not long."""
    numbers = range(*ends)
    if len(numbers) > MAX_LENGTH:
        raise InvalidProblem("beyond the top level: a long range")
    return list(numbers)


_CALLABLE: dict[str, Callable[..., Any]] = {
    "abs": abs, "len": len, "max": max, "min": min, "range": _range, "sum": sum, "sorted": sorted,
}  # fmt: skip
_ALLOWED = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.AugAssign,
    ast.If, ast.For, ast.While, ast.Expr, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare,
    ast.IfExp, ast.Call, ast.Attribute, ast.Subscript, ast.Slice, ast.List, ast.ListComp,
    ast.comprehension, ast.Name, ast.Constant, ast.Load, ast.Store, ast.USub, ast.Not, ast.And,
    ast.Or, *_OPERATORS, *_COMPARISONS,
)  # fmt: skip
_FAILURES = (
    ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError,
)  # fmt: skip
_TIGHT = re.compile(r" ?([-+*/%<>=!]+|,) ?")
_STATEMENTS = (
    ast.Return, ast.Assign, ast.AugAssign, ast.If, ast.For, ast.While, ast.Expr,
)  # fmt: skip


class Program(NamedTuple):
    """A function of the subset."""

    tree: ast.FunctionDef
    text: str
    """Canonical."""

    @property
    def parameters(self) -> list[str]:
        """Their names, in order."""
        return [parameter.arg for parameter in self.tree.args.args]

    def count(self, *kinds: type[ast.AST]) -> int:
        """How many nodes of these kinds it has."""
        return sum(isinstance(node, kinds) for node in ast.walk(self.tree))

    @property
    def statements(self) -> int:
        """How many statements it has."""
        return self.count(*_STATEMENTS)

    @property
    def loops(self) -> int:
        """How many loops and comprehensions it has."""
        return self.count(ast.For, ast.While, ast.ListComp)

    def renamed(self) -> str:
        """The text with names in the order of their appearance: equal up to renaming."""
        name = re.compile(r"(?<!')\b[a-eg-z]\b(?!')")
        seen = dict.fromkeys(name.findall(self.text))
        new = dict(zip(seen, "abcdeghijklmnopqrstuvwxyz", strict=False))
        return name.sub(lambda found: new[found[0]], self.text)


class Run(NamedTuple):
    """What a call came to."""

    value: Value
    steps: int
    """Statements that were executed."""


def read(text: str) -> Program:
    """The program that a text writes.

    Raises:
        InvalidProblem: it is none, is not of the subset, or is too long.
    """
    if len(text) > MAX_TEXT or not text.isascii() or "\\" in text:
        raise InvalidProblem(f"malformed: {text[:40]!r} is too long or has odd characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python remarks on odd spellings such as "1if x"
            module = ast.parse(text)
        match module.body:
            case [ast.FunctionDef(name="f", decorator_list=[], returns=None) as tree]:
                pass
            case _:
                raise InvalidProblem("malformed: one function f is wanted")
        for node in ast.walk(tree):
            _check(node)
        if not isinstance(tree.body[-1], ast.Return):
            raise InvalidProblem("malformed: the last statement is no return")
        return Program(tree, written(tree))
    except InvalidProblem:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InvalidProblem(f"malformed: {type(error).__name__} in {text[:40]!r}") from error


def written(tree: ast.AST) -> str:
    """The canonical text: one space a level, none around operators; strings hold only letters."""
    lines = ast.unparse(tree).split("\n")
    tight = []
    for line in lines:
        body = line.lstrip(" ")
        tight.append(" " * ((len(line) - len(body)) // 4) + _TIGHT.sub(r"\1", body))
    return "\n".join(tight)


def run(program: Program, arguments: Sequence[Value]) -> Run:
    """Call the function.

    Args:
        program: the function.
        arguments: one value for each parameter.
    Raises:
        InvalidProblem: it fails, does not stop within MAX_STEPS, or a value grows too large.
    """
    machine = _Machine(program, arguments)
    return Run(machine.call(program.tree.body), machine.steps)


def trace(program: Program, arguments: Sequence[Value]) -> list[Step]:
    """The steps of a call, for a worked solution; raises as `run` does."""
    machine = _Machine(program, arguments, notes=[])
    machine.call(program.tree.body)
    return machine.notes or []


def returns(program: Program, arguments: Sequence[Value], value: Value) -> bool:
    """Whether a call comes to that value; not if it fails."""
    try:
        return run(program, arguments).value == value
    except InvalidProblem:
        return False


def shortened(program: Program) -> Iterator[Program]:
    """The program with one statement left out, in every way that leaves a program.

    Each is good until the next is asked for: they share a tree.
    """
    for node in list(ast.walk(program.tree)):
        for field in ("body", "orelse"):
            block = getattr(node, field, None)
            if not isinstance(block, list) or (field == "body" and len(block) == 1):
                continue
            for place, statement in enumerate(block):
                if not isinstance(statement, ast.Return):
                    del block[place]
                    yield program
                    block.insert(place, statement)


def literal(text: str) -> Value:
    """The value that a literal writes: -3, [1,2] or 'ab'.

    Raises:
        InvalidProblem: it is none in canonical form.
    """
    if re.fullmatch("-?(0|[1-9][0-9]{0,8})", text) and text != "-0":
        return int(text)
    if re.fullmatch("'[a-z]{0,40}'", text):
        return text[1:-1]
    if re.fullmatch(r"\[(-?[0-9]{1,9}(,-?[0-9]{1,9}){0,39})?\]", text):
        numbers = [literal(number) for number in text[1:-1].split(",") if number]
        return [number for number in numbers if isinstance(number, int)]
    raise InvalidProblem(f"malformed: {text[:40]!r} is no value like -3, [1,2] or 'ab'")


def shown(value: object) -> str:
    """A value as it is written here: repr without spaces."""
    return repr(value).replace(" ", "")


class _Returned(Exception):
    """Carries the value out of the statements."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class _Machine:
    """Names with their values, and the steps so far."""

    def __init__(
        self, program: Program, arguments: Sequence[Value], notes: list[Step] | None = None
    ) -> None:
        if len(arguments) != len(program.parameters):
            raise InvalidProblem(f"malformed: {len(arguments)} arguments for {program.parameters}")
        copies = (list(value) if isinstance(value, list) else value for value in arguments)
        self._names: dict[str, Any] = dict(zip(program.parameters, copies, strict=True))
        self._work = 0
        self.steps = 0
        self.notes = notes
        """What each step did, if it is to be told: that takes ten times as long."""

    def call(self, statements: Sequence[ast.stmt]) -> Value:
        """What the statements return; the last one of a program is a return."""
        try:
            self._execute(statements)
        except _Returned as returned:
            return returned.value
        except InvalidProblem:
            raise
        except _FAILURES as error:
            raise InvalidProblem(f"no solution: {type(error).__name__}: {error}") from error
        raise AssertionError("a program without a return at its end")

    def _execute(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            match statement:
                case ast.Return(value=ast.expr() as value):
                    result = self._value(value)
                    self._note("return ", value, result)
                    raise _Returned(_plain(result))
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._set(name, value, self._value(value))
                case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                    whole = ast.BinOp(ast.Name(target.id), op, value)
                    self._set(name, whole, self._value(whole))
                case ast.Expr(
                    value=ast.Call(
                        func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item]
                    )
                ):
                    self._names[name].append(self._value(item))
                    self._set(name, None, self._names[name])
                case ast.If(test=test, body=body, orelse=orelse):
                    self._execute(body if self._decide(test) else orelse)
                case ast.While(test=test, body=body):
                    while self._decide(test):
                        self._execute(body)
                case ast.For(target=ast.Name(id=name), iter=values, body=body):
                    for value in list(self._value(values)):
                        self._set(name, None, value)
                        self._execute(body)
                case _:
                    raise TypeError(f"no statement of the subset: {ast.unparse(statement)}")

    def _set(self, name: str, how: ast.expr | None, value: object) -> None:
        self._note(f"{name}=", how, value)
        self._names[name] = _plain(value)

    def _decide(self, test: ast.expr) -> bool:
        decision = self._value(test)
        if not isinstance(decision, bool):
            raise TypeError("a condition must be a comparison")
        self._note("", test, decision)
        return decision

    def _note(self, what: str, how: ast.expr | None, value: object) -> None:
        """Count a step: a value, and the expression that it came from if there is one."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise InvalidProblem(f"beyond the top level: more than {MAX_STEPS} steps")
        if self.notes is not None:
            filled = shown(value) if how is None else self._filled(how)
            self.notes.append((f"{what}{filled}", shown(value)))

    def _filled(self, node: ast.expr) -> str:
        """The expression with values in the place of names."""
        bound = {
            generator.target.id
            for part in ast.walk(node)
            if isinstance(part, ast.ListComp)
            for generator in part.generators
            if isinstance(generator.target, ast.Name)
        }
        return written(_Fill(self._names, bound).visit(copy.deepcopy(node)))

    def _value(self, node: ast.expr) -> Any:
        self._work += 1
        if self._work > MAX_WORK:
            raise InvalidProblem(f"beyond the top level: more than {MAX_WORK} evaluations")
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self._names[name]
            case ast.BinOp(left=left, op=op, right=right):
                return _joined(op, self._value(left), self._value(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -_number(self._value(operand))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self._value(operand)
            case ast.BoolOp(op=op, values=values):
                decide = all if isinstance(op, ast.And) else any
                return decide(self._value(value) for value in values)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return _COMPARISONS[type(op)](self._value(left), self._value(right))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._value(body if self._value(test) else orelse)
            case ast.List(elts=items):
                return [self._value(item) for item in items]
            case ast.Subscript(value=whole, slice=ast.Slice(lower=lower, upper=upper, step=step)):
                ends = (None if end is None else self._value(end) for end in (lower, upper, step))
                return self._value(whole)[slice(*ends)]
            case ast.Subscript(value=whole, slice=index):
                return self._value(whole)[self._value(index)]
            case ast.ListComp(elt=item, generators=[generator]):
                return self._comprehension(item, generator)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return _CALLABLE[name](*map(self._value, arguments))
            case ast.Call(func=ast.Attribute(value=whole, attr="count"), args=[item]):
                return self._value(whole).count(self._value(item))
        raise TypeError(f"no expression of the subset: {ast.unparse(node)}")

    def _comprehension(self, item: ast.expr, generator: ast.comprehension) -> list[Any]:
        if not isinstance(generator.target, ast.Name):
            raise TypeError("one name after for")
        values, outside = self._value(generator.iter), self._names
        found = []
        for value in values:
            self._names = {**outside, generator.target.id: value}
            if all(self._value(test) for test in generator.ifs):
                found.append(self._value(item))
        self._names = outside
        return found


class _Fill(ast.NodeTransformer):
    """Puts values in the place of names."""

    def __init__(self, names: Mapping[str, Any], bound: set[str]) -> None:
        self._names, self._bound = names, bound

    def visit_Call(self, node: ast.Call) -> ast.Call:
        node.args = [self.visit(argument) for argument in node.args]
        if isinstance(node.func, ast.Attribute):
            node.func.value = self.visit(node.func.value)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        known = node.id in self._names and node.id not in self._bound
        return ast.Constant(self._names[node.id]) if known else node


def _check(node: ast.AST) -> None:
    """Refuse what is not in the subset."""
    if not isinstance(node, _ALLOWED):
        raise InvalidProblem(f"malformed: {type(node).__name__} is not in the subset")
    match node:
        case ast.FunctionDef(name=name) if name != "f":
            raise InvalidProblem("malformed: a function inside f")
        case ast.arguments():
            plain = [*node.posonlyargs, *node.kwonlyargs, *node.defaults]
            if plain or node.vararg or node.kwarg or not 1 <= len(node.args) <= 3:
                raise InvalidProblem("malformed: f takes one to three plain parameters")
        case ast.arg(annotation=ast.expr()):
            raise InvalidProblem("malformed: an annotation")
        case ast.Constant(value=value):
            if type(value) is not int and not (
                isinstance(value, str) and re.fullmatch("[a-z]{0,20}", value)
            ):
                raise InvalidProblem(f"malformed: the constant {str(value)[:20]!r}")
            if isinstance(value, int) and value > MAX_NUMBER:
                raise InvalidProblem("beyond the top level: a large constant")
        case ast.Name(id=name) | ast.arg(arg=name):
            if name not in _CALLABLE and not re.fullmatch("[a-eg-z]", name):
                raise InvalidProblem(f"not canonical: the name {name[:20]} is no single letter")
        case ast.Attribute(attr=attr) if attr not in ("append", "count"):
            raise InvalidProblem(f"malformed: the method {attr[:20]}")
        case ast.Call(func=ast.Name(id=name)) if name not in _CALLABLE:
            raise InvalidProblem(f"malformed: a call of {name[:20]}")
        case ast.Call(keywords=[_, *_]):
            raise InvalidProblem("malformed: a named argument")
        case ast.For(orelse=[_, *_]) | ast.While(orelse=[_, *_]):
            raise InvalidProblem("malformed: a loop with else")


def _joined(op: ast.operator, left: Any, right: Any) -> Any:
    if type(left) is not type(right) or isinstance(left, bool):
        raise TypeError("operands of two kinds")
    if not isinstance(left, int) and not isinstance(op, ast.Add):
        raise TypeError("only + joins lists and strings")
    return _plain(_OPERATORS[type(op)](left, right))


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a number is wanted")
    return value


def _plain(value: Any) -> Any:
    """The value, if it is of the subset and not too large."""
    match value:
        case bool():
            raise TypeError("a truth value is no result")
        case int():
            if abs(value) > MAX_NUMBER:
                raise InvalidProblem("beyond the top level: a large number")
            return value
        case str() | list():
            if len(value) > MAX_LENGTH:
                raise InvalidProblem("beyond the top level: a long list or string")
            if isinstance(value, list):
                for item in value:
                    _plain(_number(item))
            return value
    raise TypeError(f"{type(value).__name__} is no value of the subset")
