"""Scoring: 10,000 cases with four readers each put together and ranked with the readers' leniency taken out."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from evaluations.calibration import Score, calibrate
from evaluations.scoring import Answer, Item, Level, Rubric, Sheet, case_scores, sheet_total
from tests.load.measure import Row, at_most, seconds

TOTALS_SECONDS, CALIBRATION_SECONDS = 10.0, 15.0
READERS_PER_CASE, CASES_PER_READER, CRITERIA = 4, 20, 5


def run(scale: int) -> list[Row]:
    """This function will score `scale` cases on five criteria, put the sheets together, and rank the cases."""
    rubric = _rubric()
    sheets = _sheets(scale, np.random.default_rng(20_220_112))
    found: list[object] = []
    totals = seconds(lambda: found.append(case_scores(rubric, sheets)))
    scores = [Score(sheet.case, sheet.reviewer, float(sheet_total(rubric, sheet) or 0)) for sheet in sheets]
    calibrated = seconds(lambda: found.append(calibrate(scores, seed=1)))
    return [
        at_most(f"scoring, {scale:,} cases x {READERS_PER_CASE}: totals and spread", totals, "s", TOTALS_SECONDS),
        at_most(f"scoring, {scale:,} cases: ranking with intervals", calibrated, "s", CALIBRATION_SECONDS),
    ]


def _rubric() -> Rubric:
    levels = tuple(Level(str(points), Decimal(points)) for points in range(11))
    return Rubric(tuple(Item(f"i{at}", Decimal(100) / CRITERIA, levels) for at in range(CRITERIA)))


def _sheets(cases: int, rng: np.random.Generator) -> list[Sheet]:
    readers = max(cases * READERS_PER_CASE // CASES_PER_READER, 8)
    quality, leniency = rng.normal(6, 1.2, cases), rng.normal(0, 0.8, readers)
    made = []
    for case in range(cases):
        for reader in rng.choice(readers, READERS_PER_CASE, replace=False):
            points = np.clip(np.rint(quality[case] + leniency[reader] + rng.normal(0, 1, CRITERIA)), 0, 10)
            answers = tuple(Answer(f"i{at}", str(int(given))) for at, given in enumerate(points))
            made.append(Sheet(f"c{case:05}", f"r{reader:04}", answers))
    return made
