"""The child process is tried with small functions of this file: it has no Django and no database."""

import os
import time

import pytest

from common.child import Child, ChildFailed


def echo(payload: bytes) -> bytes:
    return payload


def number(payload: bytes) -> bytes:
    print("a library that prints must not spoil the answer")
    return str(os.getpid()).encode()


def secrets(payload: bytes) -> bytes:
    return "\n".join(sorted(os.environ)).encode()


def sleep(payload: bytes) -> bytes:
    time.sleep(float(payload))
    return b"awake"


def fill(payload: bytes) -> bytes:
    return str(len(bytearray(int(payload)))).encode()


def die(payload: bytes) -> bytes:
    os._exit(3)


def fail(payload: bytes) -> bytes:
    raise ValueError(payload.decode())


@pytest.fixture
def child():
    started: list[Child] = []

    def start(function: str, *, seconds: float = 20, megabytes: int = 256, calls: int = 200) -> Child:
        started.append(Child(f"tests.common.test_child:{function}", seconds=seconds, megabytes=megabytes, calls=calls))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_call_when_large_then_comes_back_whole(child):
    payload = os.urandom(5_000_000)
    assert child("echo").call(payload) == payload


def test_call_when_repeated_then_the_same_warm_process_until_its_calls_are_used_up(child):
    worker = child("number", calls=2)
    first, second, third = (worker.call(b"") for _ in range(3))
    assert first == second
    assert third not in (first, str(os.getpid()).encode())


def test_call_when_the_environment_holds_secrets_then_the_child_does_not(child, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("SECRET_KEY", "secret")
    assert set(child("secrets").call(b"").decode().split()) <= {
        "FONTCONFIG_FILE", "FONTCONFIG_PATH", "HOME", "LANG", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONHASHSEED",
        "TMPDIR", "XDG_CACHE_HOME",
    }  # fmt: skip


def test_call_when_it_takes_too_long_then_ended_and_the_next_one_works(child):
    worker = child("sleep", seconds=1.5)
    began = time.monotonic()
    with pytest.raises(ChildFailed, match=r"not done after 1\.5 seconds"):
        worker.call(b"30")
    assert time.monotonic() - began < 4
    assert worker.call(b"0") == b"awake"


def test_call_when_it_wants_too_much_memory_then_refused_and_the_next_one_works(child):
    worker = child("fill", megabytes=128)
    with pytest.raises(ChildFailed, match="more memory needed than allowed"):
        worker.call(b"400000000")
    assert worker.call(b"1000000") == b"1000000"


def test_call_when_the_process_dies_then_said_so_and_the_next_one_starts_anew(child):
    worker = child("die")
    for _ in range(2):
        with pytest.raises(ChildFailed, match="ended early"):
            worker.call(b"")


def test_call_when_the_function_raises_then_its_words_arrive(child):
    with pytest.raises(ChildFailed, match="ValueError: 量子"):
        child("fail").call("量子".encode())


def test_close_when_called_then_no_process_is_left(child):
    worker = child("number")
    pid = int(worker.call(b""))
    worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
