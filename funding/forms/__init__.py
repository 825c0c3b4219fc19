"""The funding tracker's forms: shapes of input only, every rule is in `funding.services`."""

from funding.forms.flow import FlowForm
from funding.forms.lines import LineForm, LinesFormSet, line_initial, make_lines
from funding.forms.reversal import ReversalForm

__all__ = ["FlowForm", "LineForm", "LinesFormSet", "ReversalForm", "line_initial", "make_lines"]
