"""Public references: a prefix and random Crockford base 32, because sequences leak counts."""

import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_UNPREDICTABLE = secrets.SystemRandom()
_source: ContextVar[random.Random] = ContextVar("source of references")


def new_ref(prefix: str) -> str:
    """This function will make a reference such as `RPT-7K3M9QX`: seven characters, 34 billion values."""
    return prefix + "-" + "".join(_source.get(_UNPREDICTABLE).choice(CROCKFORD) for _ in range(7))


@contextmanager
def drawn_from(source: random.Random) -> Iterator[None]:
    """This function will draw new references from a seeded source, so that a sample play gives the same ones again."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


def ref_default(prefix: str) -> Callable[[], str]:
    """This function will return a default for a model field that migrations can serialise."""
    return partial(new_ref, prefix)
