"""A learner's functions, run in a process of their own, as functions that the judge can call."""

from __future__ import annotations

import linecache
import sys
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Final

from pgtlab.lab.attempt import AnswerError, asked
from pgtlab.lab.given_kernel import OF_A_PAGE, Misuse
from pgtlab.lab.result import NOT_WRITTEN
from pgtlab.lab.worker import process as processes
from pgtlab.lab.worker import received, wire
from pgtlab.lab.worker.exposed import LEARNERS, Exposed
from pgtlab.lab.worker.process import NOT_A_RESULT, AnswerProcess, Ended, Limits

PICKLED: Final = "<dynamic-code>"  # the file of a function that was pickled by value
PASSED_ON: Final = ("AnswerError", "Panic")  # exceptions that go through a learner's function as they are


@dataclass(frozen=True)
class Text:
    """A learner's code as text.

    Attributes
    ----------
    cells : tuple
        The name of a file, the source, and the compiler's flags, of each cell in order.
    names : tuple of str
        What is wanted of what they define.
    among : tuple of str
        Modules whose names the cells may use, as a patch of a function of theirs may.
    """

    cells: tuple[tuple[str, str, int], ...]
    names: tuple[str, ...]
    among: tuple[str, ...] = ()


@dataclass
class Answers:
    """A learner's functions in their process, which starts when it is needed, and again after it has died.

    Attributes
    ----------
    code : Text or dict
        The text that defines them, or the functions themselves.
    limits : Limits
        What they may use, all together, until `count_from_here`.
    used : frozenset of str
        Records of a kernel that they may change.
    forbidden : tuple of str
        Packages that they cannot import.
    start : callable
        Starts a process; a grader has a sandbox here.
    note : str
        What is to be said about how they ran; empty where all is as it should be.
    printed : list of str
        What they printed.
    """

    code: Text | Mapping[str, Any]
    limits: Limits = field(default_factory=Limits)
    used: frozenset[str] = frozenset()
    forbidden: tuple[str, ...] = ()
    start: Callable[[], AnswerProcess] = processes.fresh
    folder: str = ""
    path: Sequence[str] = ()
    show: Callable[[str], None] | None = None
    note: str = ""
    printed: list[str] = field(default_factory=list)
    _process: AnswerProcess | None = None
    _finalizer: Any = None
    _depth: int = 0
    _may_print: int = wire.PRINTED  # characters, by each process

    def load(self) -> dict[str, Any]:
        """Define the functions; return what stands for each, and the values of names that are not functions.

        Raises
        ------
        AnswerError
            If the code that defines them fails.
        """
        known = self._load()
        return {
            name: self._function(name, about) if "function" in about else self._decoded(about.get("value"))
            for name, about in known.items()
        }

    def count_from_here(self) -> None:
        """Give the code all of its time again."""
        if self._process is not None and self._process.alive:
            self._process.count_from_here()

    def stop(self) -> None:
        """End the process from another thread; the call that waits for it raises `AnswerError`."""
        if self._process is not None:
            self._process.stop("was stopped.")

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._finalizer()
            self._process = None

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # Conversations.

    @property
    def _first(self) -> str:
        return next(iter(self.code.names if isinstance(self.code, Text) else self.code), "your code")

    def _load(self) -> dict[str, Any]:
        self.close()
        self._exposed = Exposed(self.used)
        self._may_print = wire.PRINTED
        try:
            process = self._process = self.start()
            self._finalizer = weakref.finalize(self, process.close)
            modules = self.code.among if isinstance(self.code, Text) else ()
            process.start(self.limits, self.forbidden, self.folder, self.path, modules)
        except Ended as error:
            raise AnswerError(f"The process for `{self._first}()` could not start: it {error}") from None
        content: tuple[str, Any]
        if isinstance(self.code, Text):
            content = ("text", (self.code.cells, self.code.names, self.code.among))
        else:
            content = ("pickle", _pickled(self.code))
        known = self._converse(self._first, ("load", *content))
        if not self._describes(known):
            process.stop(NOT_A_RESULT)
            raise AnswerError(f"`{self._first}()` {NOT_A_RESULT}")
        return dict(known)

    def _describes(self, known: Any) -> bool:
        """Whether a message says what the names are: all functions that were sent, or some of the names in a text."""
        if not isinstance(known, dict) or not all(isinstance(about, dict) for about in known.values()):
            return False
        if not all(received.is_index(about["function"]) for about in known.values() if "function" in about):
            return False
        if isinstance(self.code, Text):
            return known.keys() <= set(self.code.names)
        return known.keys() == self.code.keys() and all(
            "function" in about for name, about in known.items() if callable(self.code[name])
        )

    def _function(self, name: str, about: dict[str, Any]) -> Callable[..., Any]:
        """What stands for a learner's function: it is called by the judge, and runs over there."""
        number = about["function"]

        def function(*args: Any, **kwargs: Any) -> Any:
            if self._process is None or not (self._process.alive or self._depth):
                self._load()
            return self._converse(name, ("call", number, args, kwargs))

        function.__name__ = function.__qualname__ = name
        vars(function)[LEARNERS] = number
        vars(function)["answers"] = self
        with suppress(Exception):  # the message may say anything
            vars(function)["__signature__"] = received.signature(about["parameters"])
        if not isinstance(self.code, Text):
            vars(function)["__wrapped__"] = self.code.get(name)  # so that `inspect.getsource()` finds it
        elif (file := about.get("file")) in self._files() and received.is_line(about.get("line")):
            function.__code__ = function.__code__.replace(co_filename=file, co_firstlineno=about["line"], co_name=name)
        return function

    def _converse(self, name: str, message: tuple[Any, ...]) -> Any:
        """Send a message, do what the code asks for meanwhile, and return what it returns."""
        process, exposed = self._process, self._exposed
        assert process is not None
        if not self._depth:
            process.called = time.monotonic()
        self._depth += 1
        frames = None
        try:
            process.write(exposed.pickled(message))
            while True:
                got = process.read()
                try:
                    kind, content, *_ = got
                except (TypeError, ValueError):
                    kind, content = "", None
                if kind == "ask":
                    process.write(exposed.pickled(self._performed(got[1:])))
                elif kind == "at":
                    frames = content
                elif kind == "print":
                    self._print(content)
                elif kind == "result":
                    return self._decoded(content)
                elif kind == "loaded" and message[0] == "load":
                    return content
                elif kind == "raised" and isinstance(content, dict):
                    raise self._raised(name, content)
                else:
                    process.stop(NOT_A_RESULT)
                    raise AnswerError(f"`{name}()` {NOT_A_RESULT}")
        except Ended as error:
            raise AnswerError(f"`{name}()` {str(error).replace('{where}', self._where(frames))}") from None
        finally:
            self._depth -= 1
            if not self._depth:
                process.called = None

    def _performed(self, request: list[Any]) -> tuple[Any, ...]:
        """The reply to a request: a value, or an exception to raise."""
        try:
            value = self._exposed.perform(request, self._decoded)
            self._exposed.pickled(("value", value))
            return "value", value
        except Exception as error:  # of the model, of a wrong argument, of a request that is nonsense
            return self._exposed.raised(error)
        except BaseException:
            if self._process is not None:
                self._process.stop("was interrupted.")
            raise

    def _decoded(self, data: Any) -> Any:
        try:
            return wire.decode(data, self._other)
        except Exception:  # whatever nonsense a message can lead to, with MemoryError and OverflowError
            return wire.unusable("unknown")

    def _other(self, kind: str, content: Any) -> Any:
        if kind == "object":
            return self._exposed[received.index(content)]
        if kind == "method":
            number, name = content
            return self._exposed.method(self._exposed[received.index(number)], name)
        if kind == "function":
            return self._function(f"function {content}", {"function": received.index(content)})
        if kind == "numpy":
            return received.array(self._decoded(content))
        return wire.unusable(str(content).replace("\0", "")[:80])

    def _print(self, text: object) -> None:
        if not isinstance(text, str):
            return
        text = text[: self._may_print].encode(errors="replace").decode()
        self._may_print -= len(text)
        if text:
            self.printed.append(text)
            if self.show is not None:
                self.show(text)

    # Sentences.

    def _files(self) -> set[str]:
        if isinstance(self.code, Text):
            return {file for file, _, _ in self.code.cells}
        return {code.co_filename for code in map(_code, self.code.values()) if code is not None}

    def _raised(self, name: str, told: dict[str, Any]) -> BaseException:
        """The model's own exception that the code passed on, such as a panic; or how the code failed."""
        error = self._exposed.error(told.get("number"))
        if isinstance(error, _TooDeep):  # raised between two calls: the line is that of the outer one
            return self._error(name, {"type": "RecursionError", "message": str(error), "frames": told.get("frames")})
        if isinstance(error, AttributeError) and isinstance(error.obj, int):
            told = {**told, "attribute_of_a_number": error.name}
        if isinstance(error, Misuse):
            return AnswerError(f"`{name}()` stopped{self._where(told.get('frames'))}: {error}")
        return error if error and type(error).__name__ in PASSED_ON else self._error(name, told)

    def _error(self, name: str, told: dict[str, Any]) -> AnswerError:
        """How the code failed, in one sentence."""
        if told.get("not_written"):
            return AnswerError(f"`{name}()` {NOT_WRITTEN}")
        where = self._where(told.get("frames"))
        if told.get("memory"):
            return AnswerError(
                f"`{name}()` stopped{where}: it ran out of memory, of which it may use {self.limits.memory >> 20} MiB."
            )
        attribute = told.get("attribute_of_a_number")
        if isinstance(attribute, str) and attribute in OF_A_PAGE:
            return AnswerError(
                f"`{name}()` stopped{where}: it passed on a number, an address, where a `struct page` is wanted. "
                "`k.virt_to_page(address)` is the page of an address."
            )
        if told.get("forbidden"):
            return AnswerError(f"`{name}()`{where} uses a function of this package: compute it yourself.")
        if told.get("too_deep"):
            return _TooDeep(received.clean(told.get("message"), 500))
        what = ": ".join(filter(None, [received.clean(told.get("type"), 80), received.clean(told.get("message"), 500)]))
        if told.get("type") == "NameError" and isinstance(self.code, Text):  # of a submission: the cell alone is judged
            what += ". What other cells define does not count: the answer's cell is judged alone."
        return AnswerError(f"`{name}()` stopped{where}: {what}")

    def _where(self, frames: object) -> str:
        """The line of the learner's own text at which it failed."""
        files = self._files()
        for frame in reversed(frames if isinstance(frames, list) else []):
            match frame:
                case [str(file), int(line), str(function)] if received.is_line(line):
                    file = self._pickled_from(function, line) if file == PICKLED else file
                    if file in files:
                        text = self._line(file, line)
                        return f" in line {line}" + (f", `{text}`" if text else "")
        return ""

    def _pickled_from(self, function: str, line: int) -> str:
        """The file of a line of the functions themselves; empty for a line of another function that they call."""
        if isinstance(self.code, Text):
            return ""
        for each in self.code.values():
            for code in _codes(_code(each)):
                if code.co_name == function and line in {number for _, _, number in code.co_lines()}:
                    return code.co_filename
        return ""

    def _line(self, file: str, line: int) -> str:
        if isinstance(self.code, Text):
            lines = next(source for name, source, _ in self.code.cells if name == file).splitlines()
            return lines[line - 1].strip() if 0 < line <= len(lines) else ""
        return linecache.getline(file, line).strip()


class _TooDeep(AnswerError):
    """Functions of the learner's that call each other by way of the judge, too deep in each other."""


def _code(function: Any) -> CodeType | None:
    """The code of a function; None for something else, whatever its attributes do."""
    code = asked(lambda: function.__code__, None)
    return code if type(code) is CodeType else None


def _codes(code: CodeType | None) -> Iterator[CodeType]:
    """A function's code, and that of the functions in it."""
    if code is not None:
        yield code
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from _codes(constant)


def _pickled(functions: Mapping[str, Any]) -> bytes:
    """The functions with all that they use, by value, unless it is of an installed package."""
    import cloudpickle

    registered = set()
    for function in functions.values():
        module = asked(lambda function=function: sys.modules.get(function.__module__), None)  # type: ignore[misc]
        file = getattr(module, "__file__", None) or ""
        own = module is not None and module.__name__ != "__main__" and file and "site-packages" not in file
        if (
            own
            and module is not None
            and module not in registered
            and not module.__name__.startswith("pgtlab.")
            and sys.base_prefix not in file
        ):
            cloudpickle.register_pickle_by_value(module)
            registered.add(module)
    try:
        return cloudpickle.dumps(dict(functions))  # type: ignore[no-any-return]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also of a learner's own class
        first, why = next(iter(functions)), asked(lambda error=error: received.clean(str(error), 500), "")  # type: ignore[misc]
        raise AnswerError(
            f"`{first}()` cannot be sent to the process in which it would run: {type(error).__name__}: {why}. It may "
            "use functions, constants and imports of the notebook, but no open file and the like."
        ) from None
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)
