"""Data > accessible SVG, the same picture on the page and in the PDF.

Every function takes plain dataclasses and returns a `Chart`: text that is a whole `<svg>` and carries the rows of the
data table printed beneath it (`chart.head`, `chart.rows`, `as_table(chart)`). Pure and deterministic; presentation
attributes only, since the pages' policy allows no inline style; 360 units wide with 13-unit text, so that it reads on a
phone of 320 px and 11 cm wide on paper.
"""

from common.charts.benchmark import BenchmarkPoint, benchmark_lines
from common.charts.gantt import GanttRow, Mark, gantt
from common.charts.indicator import IndicatorPoint, IndicatorTarget, indicator_line
from common.charts.money_bars import BudgetRow, ChangeRow, YearRow, budget_bars, change_bars, contract_bar, yearly_bars
from common.charts.roadmap import Milestone, roadmap
from common.charts.stacked_bars import StackedRow, stacked_bars
from common.charts.svg import Chart, as_table
from common.charts.time_axis import Gate
from common.charts.trl import TrlPoint, trl_staircase

__all__ = [
    "BenchmarkPoint",
    "BudgetRow",
    "ChangeRow",
    "Chart",
    "GanttRow",
    "Gate",
    "IndicatorPoint",
    "IndicatorTarget",
    "Mark",
    "Milestone",
    "StackedRow",
    "TrlPoint",
    "YearRow",
    "as_table",
    "benchmark_lines",
    "budget_bars",
    "change_bars",
    "contract_bar",
    "gantt",
    "indicator_line",
    "roadmap",
    "stacked_bars",
    "trl_staircase",
    "yearly_bars",
]
