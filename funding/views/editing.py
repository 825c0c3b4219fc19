"""Writing flows: the funding tracker's forms, each one call to a service."""

from collections.abc import Callable, Iterable

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from funding import rollups
from funding.forms import FlowForm, LineForm, LinesFormSet, ReversalForm, line_initial, make_lines
from funding.forms.lines import Choices
from funding.models import Flow
from funding.services import Confirm, change_flow, flow_version, notes_on, record_flow, reverse_flow
from funding.services.recording import FTS_KEEPS_IT
from funding.views.reading import flows_for
from planning.models import Plan
from rrp_portal import access
from rrp_portal.reference.models import Organisation
from rrp_portal.reference.roles import Permission

SUGGESTIONS = 200
PARENTS = 12


def tracked_plans(user):
    """The plans for which the person records flows, newest first."""
    return Plan.objects.within(user, Permission.TRACK_FUNDING).order_by("-starts_on", "code")


def _named_plans(user, codes: Iterable[str]) -> list[Plan]:
    """The plans of the form by their codes; not visible is 404, visible and not tracked is 403."""
    codes = list(dict.fromkeys(code for code in codes if code))
    plans = list(tracked_plans(user).filter(code__in=codes))
    if missing := set(codes) - {plan.code for plan in plans}:
        if Plan.objects.visible_to(user).filter(code__in=missing).count() < len(missing):
            raise Http404
        raise PermissionDenied(
            _("You do not track the funding of this plan. Ask its coordinator for the role “Funding tracker”.")
        )
    return sorted(plans, key=lambda plan: codes.index(plan.code))


@never_cache
@require_http_methods(["GET", "POST"])
def flow_create(request: HttpRequest) -> HttpResponse:
    """Record a flow: first its plan, then everything about it."""
    codes = request.POST.getlist("plans") if request.method == "POST" else request.GET.getlist("plan")
    plans = _named_plans(request.user, codes)
    if not plans:
        return _choose_plan(request)
    choices = Choices(plans)
    if request.method == "POST":
        return _save(request, None, plans, choices)
    form = FlowForm(user=request.user, initial={"currency": "USD"})
    lines = make_lines(prefix="lines", choices=choices, initial=[{"plan": plans[0].code}])
    return _show(request, form, lines, None, plans)


def _choose_plan(request: HttpRequest) -> HttpResponse:
    plans = list(tracked_plans(request.user)[: SUGGESTIONS + 1])
    if not plans:
        raise PermissionDenied(
            _("You do not track the funding of any plan. Ask a coordinator for the role “Funding tracker”.")
        )
    return render(request, "funding/flow_plan.html", {"plans": plans[:SUGGESTIONS], "more": len(plans) > SUGGESTIONS})


@never_cache
@require_http_methods(["GET", "POST"])
def flow_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a flow, its status or its lines."""
    flow = _editable(request, pk)
    stored = list(flow.lines.select_related("plan", "country", "sector__sector").order_by("pk"))
    plans = list({line.plan.pk: line.plan for line in stored if line.plan}.values())
    plans += [plan for plan in _named_plans(request.user, request.POST.getlist("plans")) if plan not in plans]
    choices = Choices(plans, outside=any(line.plan_id is None for line in stored))
    for line in stored:
        choices.also_country(line.country)
    if request.method == "POST":
        return _save(request, flow, plans, choices)
    form = FlowForm(user=request.user, flow=flow, initial=FlowForm.initial_of(flow) | {"version": flow_version(flow)})
    lines = make_lines(prefix="lines", choices=choices, initial=[line_initial(line) for line in stored])
    return _show(request, form, lines, flow, plans)


def _editable(request: HttpRequest, pk: int) -> Flow:
    """The flow that the person may edit: 404 where it is not visible, 403 where it may only be read or FTS keeps it."""
    flow = access.editable_or_refuse(Flow.objects.select_related("donor", "recipient"), request.user, pk=pk)
    if flow.channel == Flow.Channel.FTS:
        raise PermissionDenied(FTS_KEEPS_IT)
    return flow


def _save(request: HttpRequest, flow: Flow | None, plans: list[Plan], choices: Choices) -> HttpResponse:
    if "add_line" in request.POST:
        return _one_line_more(request, flow, plans, choices)
    form = FlowForm(request.POST, user=request.user, flow=flow)
    lines = make_lines(request.POST, prefix="lines", choices=choices)
    is_complete = form.is_valid()
    if not (lines.is_valid() and is_complete):
        return _show(request, form, lines, flow, plans, status=422)
    unit = "amount" if form.cleaned_data["lines_in"] == "original" else "amount_usd"
    options = {"user": request.user, "lines": lines.lines(unit), "confirmed": form.confirmed, **form.data_for_service()}

    def save() -> Flow:
        return (
            record_flow(**options)
            if flow is None
            else change_flow(flow, version=form.cleaned_data["version"], **options)
        )

    try:
        saved = access.save_within_reach(save, request.user)
    except ValidationError as error:
        return _refused(request, form, lines, flow, plans, error)
    return _saved(request, saved)


def _refused(request: HttpRequest, form: FlowForm, lines: LinesFormSet, flow: Flow | None, plans: list[Plan],
             error: ValidationError) -> HttpResponse:  # fmt: skip
    """The form again, every refusal beside its field, with what has to be confirmed or compared."""
    found = {refusal.code: refusal for refusals in error.error_dict.values() for refusal in refusals}
    donor = form.cleaned_data["donor"]  # which the refusal takes out of the form's data
    put_beside(error, form, lines)
    context = {
        "asks_pass_through": Confirm.PASS_THROUGH in found,
        "parents": _parents(request, donor, plans) if Confirm.PASS_THROUGH in found else [],
        "asks_twin": Confirm.TWIN in found,
        "twins": _twins(request, found.get(Confirm.TWIN)),
    }
    if flow is not None and "stale" in found:
        fresh = Flow.objects.select_related("donor", "recipient").get(pk=flow.pk)
        context |= {
            "stale": _differences(form, fresh),
            "fresh_lines": fresh.lines.select_related("plan", "country", "sector__sector"),
        }
        form.data = form.data.copy()
        form.data["version"] = flow_version(fresh)
    return _show(request, form, lines, flow, plans, status=422, **context)


def put_beside(error: ValidationError, form, lines: LinesFormSet) -> None:
    """Put each refusal of a service beside the field it is about, on top of the form where it has none."""
    for key, refusals in error.error_dict.items():
        target, name = form, key if key in form.fields else None
        if key.startswith("lines-"):
            _prefix, index, field = key.split("-", 2)
            target = lines.kept[int(index)]
            name = LineForm.BESIDE.get(field, field)
            name = name if name in target.fields else None
        for refusal in refusals:
            target.add_error(name, refusal)


def _twins(request: HttpRequest, refusal: ValidationError | None) -> list[Flow]:
    if refusal is None or not refusal.params:
        return []
    return list(
        Flow.objects.visible_to(request.user)
        .filter(pk__in=refusal.params["flows"])
        .select_related("donor", "recipient")
    )


def _parents(request: HttpRequest, donor: Organisation, plans: list[Plan]) -> list[Flow]:
    """The grants that the donor has received for these plans, one of which may be what is passed on."""
    received = flows_for(request.user).filter(recipient=donor, lines__plan__in=plans, amount_usd__gt=0)
    received = received.filter(status__in=[Flow.Status.COMMITMENT, Flow.Status.PAID]).distinct()
    return list(received.select_related("donor", "recipient").order_by("-flow_on", "-pk")[:PARENTS])


def _differences(form: FlowForm, fresh: Flow) -> list[dict]:
    """What the form says and what is saved now, field by field, where they differ."""
    saved = FlowForm.initial_of(fresh)
    rows = []
    for name in FlowForm.base_fields:
        if name in FlowForm.NOT_DATA:
            continue
        mine, theirs = form.cleaned_data.get(name), saved[name]
        mine = getattr(mine, "pk", mine)
        if str("" if mine is None else mine) != str("" if theirs is None else getattr(theirs, "pk", theirs)):
            rows.append(
                {"label": form.fields[name].label, "theirs": _in_words(fresh, name, theirs), "mine": form[name].value()}
            )
    return rows


def _in_words(flow: Flow, name: str, value) -> str:
    display = getattr(flow, f"get_{name}_display", None)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(display() if display else "" if value is None else value)


def _one_line_more(request: HttpRequest, flow: Flow | None, plans: list[Plan], choices: Choices) -> HttpResponse:
    """The form with one empty line more and everything that was typed; nothing is checked yet."""
    more = _named_plans(request.user, [request.POST.get("add_plan", "").strip()])
    plans = [*plans, *[plan for plan in more if plan not in plans]]
    if more:
        choices = Choices(plans, outside=choices.outside)
    typed = make_lines(request.POST, prefix="lines", choices=choices)
    rows = [{name: form[name].value() for name in form.fields} for form in typed.forms]
    form = FlowForm(initial=request.POST.dict(), user=request.user, flow=flow)
    for name in ("is_donor_anonymous", "is_new_money", "confirm_pass_through", "confirm_twin"):
        form.initial[name] = name in request.POST
    newest = (more or plans)[0].code
    lines = make_lines(prefix="lines", choices=choices, initial=[*rows, {"plan": newest}])
    return _show(request, form, lines, flow, plans)


def _show(request: HttpRequest, form: FlowForm, lines: LinesFormSet, flow: Flow | None, plans: list[Plan], *, status: int = 200,
          **context) -> HttpResponse:  # fmt: skip
    partners = Organisation.objects.filter(requirements__version__plan__in=plans).distinct().order_by("name")
    given = Flow.objects.filter(lines__plan__in=plans).order_by().values("donor").distinct()
    donors = Organisation.objects.standing().filter(pk__in=given).order_by("name")
    asks = {name: form[f"confirm_{name}"].value() for name in ("pass_through", "twin")} if form.is_bound else {}
    context = {
        "asks_pass_through": bool(asks.get("pass_through")),
        "asks_twin": bool(asks.get("twin")),
        **{key: value for key, value in context.items() if value},
        "form": form,
        "lines": lines,
        "flow": flow,
        "plans": plans,
        "partners": partners[:SUGGESTIONS],
        "donors": donors[:SUGGESTIONS],
        "refused_lines": form.is_bound and lines.is_bound and not lines.is_valid(),
    }
    return render(request, "funding/flow_form.html", context, status=status)


def _saved(request: HttpRequest, flow: Flow) -> HttpResponseRedirect:
    """Say what became of the flow and when the figures follow, and go to its page."""
    lines = list(flow.lines.select_related("plan"))
    plans = {line.plan.pk: line.plan for line in lines if line.plan}
    for plan in plans.values():
        link = format_html('<a href="{}">{}</a>', reverse("plan-detail", args=[plan.code]), plan.name)
        messages.success(request, format_html(_("Saved. The figures of {plan} follow within seconds."), plan=link))
    for note in notes_on(flow, lines, names_donor=True):
        messages.warning(request, note)
    return redirect(flow)


@never_cache
@require_http_methods(["GET", "POST"])
def flow_reverse(request: HttpRequest, pk: int) -> HttpResponse:
    """Record that money was taken back."""
    flow = _editable(request, pk)
    lines = list(flow.lines.select_related("plan", "country", "sector__sector").order_by("pk"))
    for line in lines:
        line.label = _line_in_words(line)
    asks = len(lines) > 1 or bool(rollups.unallocated(flow, lines))
    form = ReversalForm(request.POST or None, lines=lines, ask_lines=asks)
    if request.method == "POST" and form.is_valid():
        data = {name: form.cleaned_data[name] for name in ("amount", "reason", "decided_on")}
        call = _reversal_call(flow, request.user, data | {"lines": form.typed_lines})
        try:
            return _saved(request, access.save_within_reach(call, request.user))
        except ValidationError as error:
            for key, refusals in error.error_dict.items():
                name = {"original_amount": "amount"}.get(key, key)
                for refusal in refusals:
                    form.add_error(name if name in form.fields else None, refusal)
    context = {"form": form, "flow": flow, "left": rollups.standing(flow)}
    return render(request, "funding/flow_reverse.html", context, status=422 if form.is_bound else 200)


def _reversal_call(flow: Flow, user, data: dict) -> Callable[[], Flow]:
    return lambda: reverse_flow(flow, user=user, **data)


def _line_in_words(line) -> str:
    parts = [line.plan.code if line.plan else _("no plan"), line.year or _("several years"),
             line.country.local_name if line.country else line.get_place_display(),
             line.sector.local_name if line.sector else line.get_split_display()]  # fmt: skip
    return " · ".join(str(part) for part in parts)
