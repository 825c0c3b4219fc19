"""Every sum of money in the portal: the only place that adds it up (architecture: mechanism 5)."""

from funding.rollups.across import across
from funding.rollups.explain import EXPLAINED, REASONS, Explanation, Part, explain
from funding.rollups.flows import Standing, classes_of, lines_total, standing, unallocated
from funding.rollups.overlap import Together, together
from funding.rollups.read import country_year, read, rows_of, total, world, world_by_need
from funding.rollups.recompute import oldest_stale_at, rebuild, recompute, recompute_stale, stale_seconds, verify
from funding.rollups.rows import FigureRow, Identity, add, coverage, identity, percent_2dp, whole_percent

__all__ = [
    "EXPLAINED",
    "REASONS",
    "Explanation",
    "FigureRow",
    "Identity",
    "Part",
    "Together",
    "Standing",
    "add",
    "classes_of",
    "across",
    "country_year",
    "coverage",
    "explain",
    "identity",
    "lines_total",
    "oldest_stale_at",
    "percent_2dp",
    "read",
    "rebuild",
    "recompute",
    "recompute_stale",
    "rows_of",
    "stale_seconds",
    "standing",
    "together",
    "total",
    "unallocated",
    "verify",
    "whole_percent",
    "world",
    "world_by_need",
]
