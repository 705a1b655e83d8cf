"""PURE: the one solver behind assignments and portfolios, without a word on the output of who runs it."""

from __future__ import annotations

import highspy

Option = bool | float | int | str


class Silent(highspy.Highs):
    """HiGHS prints its name and licence once a process as soon as callbacks are set, which its making does itself."""

    def enableCallbacks(self) -> None:
        """This method will set the callbacks after the output is off, not before."""
        self.silent()
        super().enableCallbacks()


def program(seed: int = 1, **options: Option) -> highspy.Highs:
    """This function will make an empty, silent program on one thread."""
    highs = Silent()
    for name, value in (("threads", 1), ("random_seed", seed % 2_147_483_647), *options.items()):
        highs.setOptionValue(name, value)
    return highs
