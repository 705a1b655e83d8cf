"""The solver says nothing on anybody's output: not its name and licence at its making, not a line while it solves."""

import subprocess
import sys

ASSIGN = """
import numpy as np
from evaluations.assignment import propose
from evaluations.assignment_bound import make_call
call = make_call(np.full((2, 3), 0.5), np.ones((2, 3), bool), readers=2, load_max=2)
assert len(propose(call).pairs) == 4
"""
WEIGH = """
import highspy, numpy as np
from evaluations.solver import program
highs = program()
highs.addVar(0.0, 1.0)
highs.changeColIntegrality(0, highspy.HighsVarType.kInteger)
highs.run()
assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
"""


def test_solver_when_first_used_in_a_process_then_prints_nothing():
    # The solver greets once a process only: each check needs a process of its own.
    for code in (ASSIGN, WEIGH):
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert (ran.stdout, ran.stderr) == (b"", b"")
