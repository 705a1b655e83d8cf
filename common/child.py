"""A function in a warm process of its own, held to a time and a memory limit.

Work that strangers can make heavy (a PDF from long text) runs here: the child has no database connection and none of
the parent's secrets in its environment; it is killed when it takes too long, refused memory above its limit, and ends
by itself when the parent does, since its standard input closes.
"""

import atexit
import importlib
import os
import resource
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

PROJECT = Path(__file__).resolve().parent.parent
_HEAD = struct.Struct(">QB")
_DONE, _FAILED = 0, 1
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH")


class ChildFailed(Exception):
    """The function raised, or its process was ended by a limit; the text says which."""


class Child:
    """One child process for one function `bytes > bytes`, named as `module:function`; calls take turns.

    A new process starts with the first call, after a failure, after `calls` calls, and in a forked worker.
    """

    def __init__(self, function: str, *, seconds: float, megabytes: int, calls: int = 200) -> None:
        self.function, self.seconds, self.megabytes, self.calls = function, seconds, megabytes, calls
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._done = 0
        atexit.register(self.close)

    def call(self, payload: bytes) -> bytes:
        """This function will run the function in the child and return its bytes. Raises ChildFailed."""
        with self._turn:
            process = self._ready()
            deadline = time.monotonic() + self.seconds
            try:
                status, answer = self._exchange(process, payload, deadline)
            except (EOFError, BrokenPipeError):
                self._end()
                raise ChildFailed(f"the process ended early: more than {self.megabytes} MB, or a crash") from None
            except TimeoutError:
                self._end()
                raise ChildFailed(f"not done after {self.seconds:g} seconds") from None
            self._done += 1
            if status == _FAILED or self._done >= self.calls:
                self._end()
            if status == _FAILED:
                raise ChildFailed(answer.decode("utf-8", "replace"))
            return answer

    def close(self) -> None:
        """This function will end the child process, if this process started one."""
        with self._turn:
            if self._owner == os.getpid():
                self._end()

    def _ready(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process and self._owner != os.getpid():
            process.returncode, self._process = 0, None  # the parent's, not ours to end or to talk to
        elif process and process.poll() is not None:
            self._end()
        if not self._process:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "common.child", self.function, str(self.seconds), str(self.megabytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd=PROJECT,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ}
                | {"LANG": "C.UTF-8", "PYTHONHASHSEED": "0"},
                start_new_session=True,
            )
            self._owner, self._done = os.getpid(), 0
        return self._process

    @staticmethod
    def _exchange(process: subprocess.Popen[bytes], payload: bytes, deadline: float) -> tuple[int, bytes]:
        assert process.stdin
        assert process.stdout
        _write(process.stdin, _HEAD.pack(len(payload), _DONE) + payload, deadline)
        size, status = _HEAD.unpack(_read(process.stdout, _HEAD.size, deadline))
        return status, _read(process.stdout, size, deadline)

    def _end(self) -> None:
        process, self._process = self._process, None
        if not process:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                with suppress(BrokenPipeError):  # what was still to be written has no reader any more
                    stream.close()


def _write(stream: IO[bytes], data: bytes, deadline: float) -> None:
    """Write all bytes until the deadline: a child that never gets to reading must not hold the parent up."""
    rest, descriptor = memoryview(data), stream.fileno()
    os.set_blocking(descriptor, False)
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_WRITE)
        while rest:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            rest = rest[os.write(descriptor, rest) :]


def _read(stream: IO[bytes], size: int, deadline: float) -> bytes:
    """Read exactly so many bytes until the deadline."""
    pieces, descriptor = bytearray(), stream.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while len(pieces) < size:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            piece = os.read(descriptor, min(size - len(pieces), 1 << 20))
            if not piece:
                raise EOFError
            pieces += piece
    return bytes(pieces)


def serve(function: Callable[[bytes], bytes], seconds: float) -> None:
    """This function will answer calls until standard input closes: the child's side of `Child`."""
    questions, answers = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not land among the answers
    while head := questions.read(_HEAD.size):
        payload = questions.read(_HEAD.unpack(head)[0])
        signal.setitimer(signal.ITIMER_REAL, seconds + 5)  # ends an orphan whose parent is no longer there to do it
        try:
            status, answer = _DONE, function(payload)
        except MemoryError:
            status, answer = _FAILED, b"more memory needed than allowed"
        except Exception as failure:
            status, answer = _FAILED, f"{type(failure).__name__}: {failure}".encode()
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(_HEAD.pack(len(answer), status) + answer)
        answers.flush()


def main(name: str, seconds: str, megabytes: str) -> None:
    """This function will set the limits of this process and serve the named function."""
    limit = int(megabytes) << 20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    module, _, function = name.partition(":")
    serve(getattr(importlib.import_module(module), function), float(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
