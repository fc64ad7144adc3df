"""The program of the process in which a learner's code runs. It is started by its path, and imports no model itself.

It reads pickles, which come from the process that judges, and writes JSON (`wire`), so that the judge runs nothing that
it reads. What the learner's code gets of the judge's objects are instances of `Remote`, whose every use is a message.
"""

from __future__ import annotations

import builtins
import io
import os
import pickle
import sys
import threading
import time
import types
from contextlib import suppress
from typing import Any

# What follows does not notice when a learner's code replaces some of them.
globals()["__builtins__"] = dict(vars(builtins))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import remote  # type: ignore[import-not-found]  # noqa: E402
import wire  # type: ignore[import-not-found]  # noqa: E402

sys.path.pop(0)

DEPTH = 50  # calls of a learner's functions within each other by way of the judge
ROOM = 300  # frames that a message may need, beyond those that a learner's code may use
FRAMES = sys.getrecursionlimit()


class _Unpickler(pickle.Unpickler):
    def __init__(self, judge: Judge, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self._judge = judge

    def persistent_load(self, pid: Any) -> Any:
        kind, *content = pid
        if kind == "object":
            return self._judge.remote(*content)
        if kind == "function":
            return remote.RemoteFunction(self._judge, *content)
        return self._judge.functions[content[0]]


class TooDeep(RecursionError):
    """More than `DEPTH` calls within each other."""


class Judge:
    """The connection to the process that judges, as the learner's process sees it."""

    def __init__(self, reads: Any, writes: Any) -> None:
        self._reads, self._writes = reads, writes
        self._lock = threading.RLock()
        self._remotes: dict[int, Any] = {}
        self._printed = 0
        self._seen_at: list[list[Any]] = []  # the frames that are still to be told
        self._asking = True
        self._depth = 0
        self.busy = threading.Event()
        self.functions: list[Any] = []

    def forked(self) -> None:
        """Have no judge, as a copy of the process that the learner's code made: two would answer each other's calls."""
        self._reads.close()
        self._writes.close()
        self._reads, self._writes = io.BytesIO(), io.BytesIO()
        self._lock = threading.RLock()

    def send(self, *message: Any) -> None:
        wire.write_frame(self._writes, wire.to_json(message))

    def receive(self) -> Any:
        return _Unpickler(self, wire.read_frame(self._reads)).load()

    def remote(self, number: int, kind: tuple[str, str] | None) -> Any:
        if number not in self._remotes:
            self._remotes[number] = remote.Remote(self, number, kind)
        return self._remotes[number]

    def encoded(self, value: Any) -> Any:
        return wire.encode(value, self._other)

    def _other(self, value: Any) -> dict[str, Any]:
        kind = type(value)
        if kind is remote.Remote:
            return {"object": remote.number_of(value)}
        if kind is remote.RemoteFunction:
            return {"method": [value._number, value.__name__]}
        if self._asking and kind in (types.FunctionType, types.MethodType, types.BuiltinFunctionType):
            self.functions.append(value)  # which the judge may call back
            return {"function": len(self.functions) - 1}
        for base in (dict, list, tuple, set):  # an OrderedDict, or a named tuple
            if isinstance(value, base):
                return self.encoded(dict(dict.items(value)) if base is dict else base(base.__iter__(value)))  # type: ignore[no-any-return, arg-type]
        module = getattr(kind, "__module__", "")
        if module == "numpy":
            plain = value.tolist()
            if type(plain) is not kind:
                return {"numpy": self.encoded(plain)} if kind.__name__ == "ndarray" else self.encoded(plain)
        if isinstance(value, int) and str(module).startswith("pgtlab."):  # a register, or a member of an enumeration
            return self.encoded(int(value))  # type: ignore[no-any-return]
        return {"unusable": str(kind.__name__)[:80]}

    def ask(self, *request: Any) -> Any:
        """Have the judge do something with its objects, and return the result."""
        with self._lock:
            _allow_frames(FRAMES + ROOM * (self._depth + 1))
            try:
                if self._seen_at:
                    self.send("at", self._seen_at)
                    self._seen_at = []
                self.send("ask", *request)
                return self._answer()
            finally:
                _allow_frames(FRAMES + ROOM * self._depth)

    def _answer(self) -> Any:
        while True:
            kind, *content = self.receive()
            if kind == "value":
                return content[0]
            if kind == "raise":
                raise _exception(*content)
            self.call(*content)

    def call(self, function: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Call a learner's function, and send what it returns or raises."""
        self._depth += 1
        self._asking = True
        self.busy.set()
        try:
            if self._depth > DEPTH:
                raise TooDeep("maximum recursion depth exceeded")
            value = self.functions[function](*args, **kwargs)
            self._asking = False
            result = ("result", self.encoded(value))
            data = wire.to_json(result)
        except BaseException as error:
            data = wire.to_json(("raised", described(error)))
        finally:
            self._depth -= 1
            if not self._depth:
                self.busy.clear()
        if wire.too_large(data):
            data = wire.to_json(("result", {"unusable": f"{type(value).__name__} of {len(data)} bytes"}))
        self.finish(data)

    def finish(self, data: bytes) -> None:
        """Send a result."""
        with self._lock:
            wire.write_frame(self._writes, data)

    def tell_where(self, seconds: float) -> None:
        """Say again and again in which line the learner's code is, in case it is stopped there."""
        main, parent = threading.main_thread().ident, os.getppid()
        while self.busy.wait():
            time.sleep(seconds)
            if os.getppid() != parent:  # the judge has been killed
                os._exit(1)
            frames, frame = [], sys._current_frames().get(main or 0)
            while frame is not None:
                frames.append([frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name])
                frame = frame.f_back
            if not self.busy.is_set():
                continue
            if self._lock.acquire(blocking=False):
                try:
                    with suppress(OSError):  # the judge has gone: see above
                        self.send("at", frames[::-1][-50:])
                finally:
                    self._lock.release()
            else:  # it is asking the judge, and says it with its next request
                self._seen_at = frames[::-1][-50:]

    def write(self, text: str) -> int:
        """Print: a standard output that sends what is printed to the judge."""
        shown = str(text)[: wire.PRINTED - self._printed]
        self._printed += len(shown)
        if shown:
            with self._lock:
                self.send("print", shown)
        return len(text)

    def flush(self) -> None:
        """Do nothing: what is printed is sent at once."""


def _allow_frames(number: int) -> None:
    with suppress(RecursionError):  # more are in use
        sys.setrecursionlimit(number)


def _exception(module: str, name: str, known: str, message: str, number: int) -> BaseException:
    """The judge's exception, of its own class if that has been imported here."""
    base = getattr(builtins, known)
    kind = getattr(sys.modules.get(module), name, None) or type(name, (base,), {"__module__": module})
    try:
        error: BaseException = kind(message)
    except TypeError:  # it is made from something else
        error = RuntimeError(message)
    vars(error)["_of_the_judge"] = number
    return error


def described(error: BaseException) -> dict[str, Any]:
    """An exception as plain data; its own methods may fail."""
    try:
        return _described(error, str(error)[:500])
    except BaseException:
        return _described(Exception(), "") | {"type": type(error).__name__[:80]}


def _described(error: BaseException, message: str) -> dict[str, Any]:
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append([code.co_filename, trace.tb_lineno, code.co_name])
        trace = trace.tb_next
    name = getattr(error, "name", None)
    of_number = isinstance(error, AttributeError) and isinstance(getattr(error, "obj", None), int)
    return {
        "type": type(error).__name__[:80],
        "message": message,
        "frames": [frame for frame in frames if frame[0] != __file__][-50:],
        "attribute_of_a_number": name if of_number and isinstance(name, str) else "",
        "number": vars(error).get("_of_the_judge"),
        "memory": isinstance(error, MemoryError),
        "forbidden": type(error) is Forbidden,
        "too_deep": type(error) is TooDeep,
        "not_written": isinstance(error, NotImplementedError),
    }


class Forbidden(ImportError):
    """A package is not to be used."""


class _Refuse:
    """Refuses the import of some packages, with a sentence."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in self._names:
            raise Forbidden(f"this exercise is to be solved without {name.partition('.')[0]}")


def limit(limits: dict[str, Any]) -> None:
    """Limit this process before it runs a learner's code, as far as the system can."""
    try:
        import resource
    except ModuleNotFoundError:
        return  # the judge watches the process from outside
    for name in ("AS", "CPU", "CORE", "FSIZE", "NOFILE", "NPROC"):
        wanted, kind = limits.get(name), getattr(resource, f"RLIMIT_{name}", None)
        if wanted is None or kind is None:
            continue
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (wanted, wanted))


def load(judge: Judge, how: str, content: Any) -> dict[str, Any]:
    """Define the learner's functions; return for each name what it is, as plain data."""
    names: dict[str, Any] = {}
    if how == "pickle":
        names = pickle.loads(content)
    else:  # text: [(file, source, flags, names to define it among), ...] and the names that are wanted
        cells, wanted, among = content
        names = {"__name__": "__main__", "__builtins__": builtins}
        for module in among:
            names.update(vars(__import__(module, fromlist=["_"])), __name__="__main__")
        errors = []
        for file, source, flags in cells:
            try:
                exec(compile(source, file, "exec", flags, dont_inherit=True), names)
            except BaseException as error:
                errors.append(error)
        missing = [name for name in wanted if name not in names]
        if errors and (missing or len(cells) == 1):
            raise errors[-1]
        names = {name: names[name] for name in wanted if name in names}
    known = {}
    for name, value in names.items():
        if not callable(value):
            known[name] = {"value": judge.encoded(value)}
            continue
        judge.functions.append(value)
        known[name] = {"function": len(judge.functions) - 1, **signature_of(value)}
    return known


def signature_of(function: Any) -> dict[str, Any]:
    """The parameters of a function and its first line, as plain data."""
    import inspect

    code = None
    with suppress(Exception):
        code = function.__code__
    place = {"file": code.co_filename, "line": code.co_firstlineno} if isinstance(code, types.CodeType) else {}
    try:
        parameters = inspect.signature(function).parameters.values()
        listed = [[p.name, int(p.kind), p.default is not p.empty] for p in parameters]
    except Exception:  # also what a learner's `__getattr__` raises
        return {"parameters": None, **place}
    return {"parameters": listed, **place}


def main() -> None:
    """Serve the judge until it closes the pipe."""
    reads, writes = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nowhere, descriptor)
    judge = Judge(reads, writes)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=judge.forked)
    sys.modules["__main__"] = types.ModuleType("__main__")
    while True:
        try:
            kind, *content = judge.receive()
        except EOFError:
            return
        if kind == "start":
            [how] = content
            sys.path[:] = how["path"]
            if how["forbidden"]:
                sys.meta_path.insert(0, _Refuse(frozenset(how["forbidden"])))
            for module in how["modules"]:
                __import__(module)
            sys.stdout = sys.stderr = judge
            limit(how["limits"])
            threading.Thread(target=judge.tell_where, args=(how["look"],), daemon=True).start()
            if how["folder"]:
                os.chdir(how["folder"])
            judge.send("started")
        elif kind == "load":
            judge.busy.set()
            try:
                message: tuple[Any, ...] = ("loaded", load(judge, *content))
                data = wire.to_json(message)
            except BaseException as error:
                data = wire.to_json(("raised", described(error)))
            judge.busy.clear()
            judge.finish(data)
        elif kind == "call":
            judge.call(*content)


if __name__ == "__main__":
    main()
