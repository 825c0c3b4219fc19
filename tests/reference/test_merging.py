"""Twins among organisations are merged: every reference moves, no total grows, and undoing puts everything back."""

import json
from datetime import date
from decimal import Decimal

import pytest

from funding import rollups
from funding.models import BoundaryException, Flow
from planning.models import Requirement
from planning.services import approve_version
from rrp_portal.reference.models import Grant, Invitation, Organisation, OrganisationMerge
from rrp_portal.reference.services import merge_organisations, undo_merge
from rrp_portal.reference.services.merging import preview, references
from rrp_portal.workflow import Refused
from tests.factories import (
    grant,
    make_flow,
    make_line,
    make_organisation,
    make_plan,
    make_requirement,
    make_version,
)
from tests.funding.kivara import make_kivara

pytestmark = pytest.mark.django_db


def merge(merged, kept, user=None, reason="The same organisation under two spellings."):
    return merge_organisations(merged=merged, kept=kept, user=user, reason=reason)


def standing_of(plan):
    """Every figure of the plan that must be the same before a merge and after it was undone."""
    rollups.recompute_stale()
    return sorted(
        str(row)
        for rows in rollups.read(plan.pk, 2026, ["total", "sector", "partner", "donor", "cell"]).values()
        for row in rows
    )


def by_partner(plan):
    rollups.recompute_stale()
    return {row.partner_id: row for row in rollups.read(plan.pk, 2026, ["partner"])["partner"]}


def total(plan):
    rollups.recompute_stale()
    return rollups.total(plan.pk, 2026)


def test_every_reference_moves_and_the_merge_names_each(user):
    twin, kept, parent = make_organisation("U.N.-A"), make_organisation("UN-A"), make_organisation("UN")
    plan = make_plan("R1")
    plan.lead_organisations.add(twin)
    draft = make_version(plan, [("XAA", "PROT", twin, 100)])
    given, taken = make_flow(twin, parent, 10), make_flow(parent, twin, 20)
    grant(user, "partner_focal_point", "organisation", organisation=twin)
    member = make_organisation("UN-A Kivara", parent=twin)
    invitation = Invitation.objects.create(
        email="a@example.org", role="partner_finance", scope="organisation", organisation=twin, invited_by=user,
        expires_at="2027-01-01T00:00Z",
    )  # fmt: skip

    made = merge(twin, kept, user)

    assert made.moved["moved"] == {
        "planning.plan_lead_organisations.organisation": [plan.lead_organisations.through.objects.get().pk],
        "planning.requirement.partner": [draft.requirements.get().pk],
        "funding.flow.donor": [given.pk],
        "funding.flow.recipient": [taken.pk],
        "reference.grant.organisation": [user.grants.get().pk],
        "reference.organisation.parent": [member.pk],
        "reference.invitation.organisation": [invitation.pk],
    }
    assert made.moved["stayed"] == {}
    assert (made.made_by, made.reason) == (user, "The same organisation under two spellings.")
    assert plan.lead_organisations.get() == kept
    assert draft.requirements.get().partner == kept
    assert user.grants.get().organisation == kept
    twin.refresh_from_db()
    assert twin.merged_into == kept
    assert list(Organisation.objects.standing().filter(name__contains="N.-A")) == []


def test_every_column_that_points_at_organisations_is_found():
    found = {reference.label for reference in references()}

    assert found >= {
        "funding.boundaryexception.organisation",
        "funding.flow.donor",
        "funding.flow.recipient",
        "planning.plan_lead_organisations.organisation",
        "planning.requirement.partner",
        "reference.grant.organisation",
        "reference.invitation.organisation",
        "reference.organisation.merged_into",
        "reference.organisation.parent",
    }
    assert not any("event" in label or "merge." in label or "figure" in label for label in found)


def test_undoing_puts_every_reference_back(user):
    twin, kept = make_organisation("U.N.-A"), make_organisation("UN-A")
    plan = make_plan("R1")
    plan.lead_organisations.add(twin)
    draft = make_version(plan, [("XAA", "PROT", twin, 100)])
    own = make_flow(make_organisation("Gov X", "gov_donor"), kept, 5)
    moved = make_flow(make_organisation("Gov Y", "gov_donor"), twin, 10)

    undone = undo_merge(merge(twin, kept, user), user=user)

    assert (undone.undone_by, undone.undone_at is not None) == (user, True)
    assert (undone.moved["changed_since"], undone.moved["refused"]) == ({}, {})
    assert plan.lead_organisations.get() == twin
    assert draft.requirements.get().partner == twin
    assert Flow.objects.get(pk=moved.pk).recipient == twin
    assert Flow.objects.get(pk=own.pk).recipient == kept
    twin.refresh_from_db()
    assert twin.merged_into is None


def test_what_people_changed_since_is_left_alone_and_told(user):
    twin, kept, third = (make_organisation(name) for name in ("U.N.-A", "UN-A", "UN-C"))
    donor = make_organisation("Gov X", "gov_donor")
    corrected, deleted, edited = (make_flow(donor, twin, amount) for amount in (10, 20, 30))
    made = merge(twin, kept, user)
    Flow.objects.filter(pk=corrected.pk).update(recipient=third)
    deleted_pk = deleted.pk
    Flow.objects.filter(pk=deleted_pk).delete()
    Flow.objects.filter(pk=edited.pk).update(description="A better description")

    undone = undo_merge(made, user=user)

    assert undone.moved["changed_since"] == {"funding.flow.recipient": [corrected.pk, deleted_pk]}
    assert Flow.objects.get(pk=corrected.pk).recipient == third
    assert Flow.objects.get(pk=edited.pk).recipient == twin


@pytest.mark.requirement("I8", "I13")
def test_lines_of_approved_versions_and_doubles_stay_and_count_as_the_kept_organisations(user):
    twin, kept = make_organisation("U.N.-A"), make_organisation("UN-A")
    plan = make_plan("R1")
    make_version(plan, [("XAA", "PROT", twin, 100), ("XAA", "PROT", kept, 40)], approved_on=date(2026, 1, 1))
    draft = make_version(plan, [("XAA", "PROT", twin, 120), ("XAA", "PROT", kept, 40)], major=2)
    for organisation in (twin, kept):
        grant(user, "partner_finance", "organisation", organisation=organisation)
    grant(user, "partner_focal_point", "organisation", organisation=twin)

    made = merge(twin, kept, user)

    stayed = Requirement.objects.filter(partner=twin)
    assert made.moved["stayed"]["planning.requirement.partner"] == sorted(stayed.values_list("pk", flat=True))
    assert stayed.count() == 2
    assert draft.requirements.filter(partner=twin).count() == 1
    assert made.moved["stayed"]["reference.grant.organisation"] == [
        Grant.objects.get(organisation=twin, role="partner_finance").pk
    ]
    assert Grant.objects.get(role="partner_focal_point").organisation == kept
    rows = by_partner(plan)
    assert rows.keys() == {kept.pk}
    assert rows[kept.pk].required == 140


def test_one_row_that_must_stay_does_not_hold_back_a_thousand(user, django_assert_max_num_queries):
    twin, kept, donor = make_organisation("U.N.-A"), make_organisation("UN-A"), make_organisation("Gov X", "gov_donor")
    flows = [
        Flow(donor=donor, recipient=twin, amount_usd=Decimal(n), status="paid", flow_on=date(2026, 2, 1))
        for n in range(1000)
    ]
    Flow.objects.bulk_create(flows)
    between = make_flow(twin, kept, 7)

    with django_assert_max_num_queries(150):
        made = merge(twin, kept, user)

    assert len(made.moved["moved"]["funding.flow.recipient"]) == 1000
    assert made.moved["stayed"] == {"funding.flow.donor": [between.pk]}


@pytest.mark.requirement("I17", "BR-08", "BR-21")
@pytest.mark.parametrize(
    ("merged", "kept"),
    [("RLO-E", "UN-A"), ("UN-A", "RLO-E"), ("UN-B", "UN-A"), ("INGO-C", "UN-B"), ("LNGO-D", "INGO-C"), ("Gov W", "Gov X"),
     ("CERF", "Company K"), ("Company K", "UN-A"), ("Company K", "LNGO-D")],
)  # fmt: skip
def test_a_merge_adds_partners_up_never_raises_the_plan_and_leaves_no_trace_once_undone(user, merged, kept):
    kivara = make_kivara()
    one, other = kivara.who[merged], kivara.who[kept]
    before, plan = by_partner(kivara.plan), total(kivara.plan)
    everything = standing_of(kivara.plan)

    made = merge(one, other, user)

    after = by_partner(kivara.plan)
    assert total(kivara.plan).required == plan.required
    assert total(kivara.plan).funded <= plan.funded
    assert sum(row.funded for row in after.values()) == total(kivara.plan).funded
    assert one.pk not in after
    if one.pk in before and other.pk in before:
        assert after[other.pk].required == before[one.pk].required + before[other.pk].required
        assert after[other.pk].funded == before[one.pk].funded + before[other.pk].funded
        assert total(kivara.plan).funded == plan.funded
    assert rollups.identity(rollups.read(kivara.plan.pk, 2026, ["cell"])["cell"]).holds
    assert rollups.verify() == []
    undo_merge(made, user=user)
    assert standing_of(kivara.plan) == everything
    assert rollups.verify() == []


def test_money_that_a_twin_gave_to_its_partners_is_passed_on_once_it_is_known_to_be_one_of_them(user):
    kivara = make_kivara()
    twin = make_organisation("UN-A HQ")
    make_line(make_flow(twin, kivara.who["RLO-E"], 50_000), kivara.plan, country="XAA", sector="PROT")
    assert total(kivara.plan).funded == 13_350_000

    merge(twin, kivara.who["UN-A"], user)

    assert total(kivara.plan).funded == 13_300_000
    assert by_partner(kivara.plan)[kivara.who["UN-A"].pk].passed_on == 200_000


def test_chains_of_merges_are_flat_and_are_undone_last_first(user):
    first, second, third = (make_organisation(name) for name in ("UNA", "U.N.A.", "UN-A"))
    flow = make_flow(make_organisation("Gov X", "gov_donor"), first, 10)
    one = merge(first, second, user)
    other = merge(second, third, user)
    first.refresh_from_db()
    assert first.merged_into == third
    assert Flow.objects.get(pk=flow.pk).recipient == third

    with pytest.raises(Refused, match="U.N.A. was later merged into UN-A. Undo that merge first."):
        undo_merge(one, user=user)

    undo_merge(other, user=user)
    first.refresh_from_db()
    assert first.merged_into == second
    assert Flow.objects.get(pk=flow.pk).recipient == second
    undo_merge(one, user=user)
    assert Flow.objects.get(pk=flow.pk).recipient == first
    with pytest.raises(Refused, match="already undone"):
        undo_merge(one, user=user)


def test_an_organisation_never_becomes_part_of_itself(user):
    twin = make_organisation("UN-A")
    middle = make_organisation("UN-A Region", parent=twin)
    kept = make_organisation("UN-A Kivara", parent=middle)

    merge(twin, kept, user)

    for organisation in (middle, kept):
        organisation.refresh_from_db()
    assert (kept.parent, middle.parent) == (middle, twin)


@pytest.mark.requirement("I1")
def test_lines_never_come_to_a_type_that_may_not_own_them(user):
    government, agency = make_organisation("Ministry", "gov_host"), make_organisation("UN-A")
    make_version(make_plan("R1"), [("XAA", "PROT", agency, 100)], approved_on=date(2026, 1, 1))

    with pytest.raises(Refused, match="UN-A owns requirement lines, and Ministry cannot"):
        merge(agency, government, user)
    with pytest.raises(Refused, match="Ministry is a government body"):
        merge(government, agency, user)

    twin = make_organisation("UN-A of unknown type", "other")
    merge(twin, agency, user)
    with pytest.raises(Refused, match="owns requirement lines"):
        merge(agency, make_organisation("Fund", "pooled_fund"), user)


@pytest.mark.requirement("I1")
def test_lines_that_stayed_with_a_twin_count_for_its_keeper(user):
    twin, keeper = make_organisation("U.N.-A"), make_organisation("UN-A")
    make_version(make_plan("R1"), [("XAA", "PROT", twin, 100)], approved_on=date(2026, 1, 1))
    merge(twin, keeper, user)

    with pytest.raises(Refused, match="UN-A owns requirement lines, and Ministry cannot"):
        merge(keeper, make_organisation("Ministry", "gov_host"), user)


def test_a_merge_that_makes_no_sense_is_refused_with_what_to_do(user):
    twin, kept, third = (make_organisation(name) for name in ("U.N.-A", "UN-A", "UN-C"))

    with pytest.raises(Refused, match="cannot be merged into itself"):
        merge(kept, kept, user)
    merge(twin, kept, user)
    with pytest.raises(Refused, match="U.N.-A is already merged into UN-A. Undo that merge first."):
        merge(twin, third, user)
    with pytest.raises(Refused, match="U.N.-A is itself merged into UN-A. Choose UN-A instead."):
        merge(third, twin, user)
    assert OrganisationMerge.objects.count() == 1


@pytest.mark.requirement("BR-09")
def test_a_merge_never_changes_what_a_plan_counts_as_outside(user):
    fund, twin = make_organisation("CERF", "pooled_fund"), make_organisation("C.E.R.F.", "pooled_fund")
    plan = make_plan("R1")
    BoundaryException.objects.create(plan=plan, organisation=fund, reason="counted as a donor")

    with pytest.raises(Refused, match="Plan R1 counts one of the two organisations as outside its boundary"):
        merge(twin, fund, user)

    BoundaryException.objects.create(plan=plan, organisation=twin, reason="counted as a donor")
    assert "boundaryexception" in json.dumps(merge(twin, fund, user).moved["stayed"])


def test_an_approval_after_the_merge_keeps_its_lines_and_is_told(user):
    twin, kept = make_organisation("U.N.-A"), make_organisation("UN-A")
    plan = make_plan("R1")
    draft = make_version(plan)
    line = make_requirement(draft, "XAA", "PROT", twin, 100)
    made = merge(twin, kept, user)
    approve_version(draft, approved_on=date(2026, 3, 1))

    undone = undo_merge(made, user=user)

    assert undone.moved["refused"] == {"planning.requirement.partner": [line.pk]}
    line.refresh_from_db()
    assert line.partner == kept


def test_the_preview_counts_what_would_move(user):
    twin, donor = make_organisation("U.N.-A"), make_organisation("Gov X", "gov_donor")
    for amount in (10, 20):
        make_flow(donor, twin, amount)
    make_plan("R1").lead_organisations.add(twin)

    assert preview(twin) == [("plans", 1), ("flows: recipient", 2)]
