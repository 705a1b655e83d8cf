"""Public references: a prefix and random Crockford base 32, because sequences leak counts."""

import secrets
from collections.abc import Callable
from functools import partial

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_ref(prefix: str) -> str:
    """This function will make a reference such as `RPT-7K3M9QX`: seven characters, 34 billion values."""
    return prefix + "-" + "".join(secrets.choice(CROCKFORD) for _ in range(7))


def ref_default(prefix: str) -> Callable[[], str]:
    """This function will return a default for a model field that migrations can serialise."""
    return partial(new_ref, prefix)
