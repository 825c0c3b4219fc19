"""The worked regional plan, number by number, and the nine follow-up tests on it."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from funding import rollups
from planning.models import Requirement
from planning.services import approve_version
from tests.factories import make_flow, make_line, make_requirement, make_version, plan_sector
from tests.funding.kivara import make_kivara

pytestmark = pytest.mark.django_db


@pytest.fixture
def kivara():
    kivara = make_kivara()
    rollups.recompute_stale()
    return kivara


def table(kivara, level, as_of=None):
    return rollups.read(kivara.plan.pk, 2026, [level], as_of)[level]


def total(kivara, as_of=None):
    return rollups.total(kivara.plan.pk, 2026, as_of)


@pytest.mark.requirement("BR-06", "BR-08", "BR-20", "I16", "I17")
def test_the_plan_adds_up_to_13_300_000_of_20_000_000(kivara):
    row = total(kivara)

    assert row.required == 20_000_000
    assert row.funded == 13_300_000
    assert rollups.percent_2dp(row.coverage) == Decimal("66.50")
    assert rollups.whole_percent(row.coverage) == 67
    assert (row.paid, row.committed, row.pledged) == (10_400_000, 2_900_000, 1_000_000)
    assert (row.new_money, row.in_kind, row.carry_over, row.flexible) == (11_500_000, 400_000, 200_000, 2_100_000)
    assert rollups.percent_2dp(row.flexible_share) == Decimal("15.79")
    assert row.net_gap == 6_700_000


@pytest.mark.requirement("BR-03", "BR-10")
def test_each_country_has_only_what_is_exactly_its_own(kivara):
    rows = {row.country_id or row.place: (row.required, row.funded) for row in table(kivara, "country")}

    assert rows == {
        "XAA": (12_000_000, 6_700_000),
        "XBB": (7_000_000, 5_100_000),
        "region": (1_000_000, 0),
        "not_specified": (0, 1_500_000),
    }


@pytest.mark.requirement("BR-10", "I24")
def test_shared_and_not_specified_money_stand_in_rows_of_their_own(kivara):
    names = {sector.pk: sector.sector.code for sector in kivara.plan.sectors.select_related("sector")}
    rows = {names.get(row.sector_id, row.split): (row.required, row.funded) for row in table(kivara, "sector")}

    assert rows == {
        "PROT": (8_200_000, 7_100_000),
        "HLTH": (7_000_000, 2_500_000),
        "EDUC": (3_800_000, 1_000_000),
        "COOR": (1_000_000, 0),
        "not_specified": (0, 1_500_000),
        "shared": (0, 1_200_000),
    }


@pytest.mark.requirement("BR-08", "BR-18")
def test_partners_show_what_they_received_and_what_they_passed_on(kivara):
    names = {who.pk: name for name, who in kivara.who.items()}
    rows = {
        names[row.partner_id]: (
            row.required,
            row.incoming,
            row.received,
            row.passed_on,
            row.funded,
            rollups.percent_2dp(row.coverage),
        )
        for row in table(kivara, "partner")
    }

    assert rows == {
        "UN-A": (7_500_000, 8_600_000, 0, 150_000, 8_450_000, Decimal("112.67")),
        "UN-B": (8_300_000, 3_500_000, 0, 0, 3_500_000, Decimal("42.17")),
        "INGO-C": (3_700_000, 1_200_000, 0, 0, 1_200_000, Decimal("32.43")),
        "LNGO-D": (300_000, 0, 0, 0, 0, Decimal("0.00")),
        "RLO-E": (200_000, 0, 150_000, 0, 150_000, Decimal("75.00")),
    }
    assert sum(row[4] for row in rows.values()) == total(kivara).funded


@pytest.mark.requirement("BR-09", "BR-17")
def test_donors_add_up_to_the_plan(kivara):
    names = {who.pk: name for name, who in kivara.who.items()}

    rows = {names[row.donor_id]: row.funded for row in table(kivara, "donor") if row.funded}

    assert rows == {
        "Gov X": 4_500_000,
        "Gov Y": 3_100_000,
        "Company K": 400_000,
        "Gov W": 1_000_000,
        "UN-B": 200_000,
        "CERF": 1_000_000,
        "Gov V": 2_500_000,
        "UN-A": 600_000,
    }


@pytest.mark.requirement("BR-21")
@pytest.mark.parametrize(
    ("level", "unmet", "over"),
    [("sector", 9_400_000, 0), ("country_sector", 9_900_000, 500_000), ("cell", 10_400_000, 1_000_000)],
)
def test_the_net_gap_is_the_same_at_every_level_of_detail(kivara, level, unmet, over):
    identity = rollups.identity(table(kivara, level))

    assert (identity.unmet, identity.over) == (unmet, over)
    assert (identity.not_specified, identity.shared, identity.net_gap) == (1_500_000, 1_200_000, 6_700_000)
    assert identity.holds


@pytest.mark.requirement("BR-10")
def test_allocating_money_later_moves_it_between_rows_and_never_changes_the_plan(kivara):
    line = kivara.flows["F04"].lines.get()
    line.amount_usd = 300_000
    line.save()
    make_line(kivara.flows["F04"], kivara.plan, 900_000, country="XAA", sector="EDUC")
    make_line(kivara.flows["F04"], kivara.plan, 300_000, country="region", sector="COOR")
    rollups.recompute_stale()

    sectors = {row.sector_id: row for row in table(kivara, "sector")}
    education = sectors[plan_sector(kivara.plan, "EDUC").pk]
    coordination = sectors[plan_sector(kivara.plan, "COOR").pk]
    assert (education.funded, rollups.percent_2dp(education.coverage)) == (1_900_000, 50)
    assert rollups.percent_2dp(coordination.coverage) == 30
    assert rollups.identity(table(kivara, "sector")).not_specified == 300_000
    assert total(kivara).funded == 13_300_000


@pytest.mark.requirement("BR-10")
def test_splitting_a_shared_flow_empties_the_shared_row_and_leaves_the_plan(kivara):
    kivara.flows["F05"].lines.all().delete()
    make_line(kivara.flows["F05"], kivara.plan, 700_000, country="XAA", sector="PROT")
    make_line(kivara.flows["F05"], kivara.plan, 500_000, country="XAA", sector="HLTH")
    rollups.recompute_stale()

    sectors = {row.sector_id: row for row in table(kivara, "sector")}
    protection = sectors[plan_sector(kivara.plan, "PROT").pk]
    health = sectors[plan_sector(kivara.plan, "HLTH").pk]
    assert (protection.funded, rollups.percent_2dp(protection.coverage)) == (7_800_000, Decimal("95.12"))
    assert (health.funded, rollups.percent_2dp(health.coverage)) == (3_000_000, Decimal("42.86"))
    assert rollups.identity(table(kivara, "sector")).shared == 0
    assert total(kivara).funded == 13_300_000


@pytest.mark.requirement("BR-06", "I16")
def test_a_pledge_counts_once_it_is_committed_and_again_not_more_when_paid(kivara):
    flow = kivara.flows["F03"]
    flow.status = "commitment"
    flow.save()
    rollups.recompute_stale()
    committed = total(kivara)
    flow.status = "paid"
    flow.save()
    rollups.recompute_stale()
    paid = total(kivara)

    assert (committed.funded, committed.pledged, rollups.whole_percent(committed.coverage)) == (14_300_000, 0, 72)
    assert (paid.funded, paid.paid) == (14_300_000, 11_400_000)


@pytest.mark.requirement("BR-22", "BR-23")
def test_a_revision_changes_coverage_and_never_funding(kivara):
    lines = [
        (r.chapter.country_id, r.sector.sector.code, r.partner, r.gross_usd) for r in kivara.version.requirements.all()
    ]
    raised = {("XAA", "HLTH", "UN-B"): 4_000_000, ("XAA", "PROT", "UN-A"): 2_000_000}
    make_version(
        kivara.plan,
        [(c, s, p, amount + raised.get((c, s, p.name), 0)) for c, s, p, amount in lines],
        major=2,
        approved_on=date(2026, 6, 15),
    )
    draft = make_version(kivara.plan, [(c, s, p, amount * 3 / 2) for c, s, p, amount in lines], major=3)
    rollups.recompute_stale()

    now = total(kivara)
    assert draft.status == "draft"
    assert (now.required, now.original, now.funded, now.net_gap) == (26_000_000, 20_000_000, 13_300_000, 12_700_000)
    assert (rollups.percent_2dp(now.coverage), rollups.whole_percent(now.coverage)) == (Decimal("51.15"), 51)
    assert rollups.percent_2dp(now.coverage_of_original) == Decimal("66.50")
    assert rollups.percent_2dp(total(kivara, date(2026, 6, 14)).coverage) == Decimal("66.50")
    assert rollups.percent_2dp(total(kivara, date(2026, 6, 15)).coverage) == Decimal("51.15")


@pytest.mark.requirement("BR-08", "I17")
def test_deleting_a_sub_grant_changes_the_partners_and_not_the_plan(kivara):
    kivara.flows["F06"].delete()
    rollups.recompute_stale()

    partners = {row.partner_id: row.funded for row in table(kivara, "partner")}
    assert total(kivara).funded == 13_300_000
    assert partners[kivara.who["UN-A"].pk] == 8_600_000
    assert partners[kivara.who["RLO-E"].pk] == 0


@pytest.mark.requirement("BR-08", "I17")
def test_money_from_a_partner_of_the_plan_is_never_counted_again_even_when_entered_as_a_standard_flow(kivara):
    kivara.flows["F06"].delete()
    wrong = make_flow(kivara.who["UN-A"], kivara.who["RLO-E"], 150_000)
    make_line(wrong, kivara.plan, country="XAA", sector="PROT")
    rollups.recompute_stale()

    assert total(kivara).funded == 13_300_000


@pytest.mark.requirement("I1", "BR-04")
def test_a_ministry_owns_no_line_and_the_total_stays(kivara):
    draft = make_version(kivara.plan, major=2)
    line = Requirement(
        version=draft,
        chapter=kivara.plan.chapters.get(country_id="XAA"),
        sector=plan_sector(kivara.plan, "HLTH"),
        partner=kivara.who["Ministry of Health"],
        gross_usd=2_000_000,
        year=2026,
    )

    with pytest.raises(ValidationError) as refusal:
        line.full_clean()

    assert "national plan" in str(refusal.value.message_dict["partner"])
    assert total(kivara).required == 20_000_000


@pytest.mark.requirement("BR-03")
def test_a_country_is_seen_in_its_plan_and_never_added_to_it(kivara):
    country = next(row for row in table(kivara, "country") if row.country_id == "XAA")
    world = rollups.world(type(kivara.plan).objects.all(), 2026)

    assert (country.required, country.funded) == (12_000_000, 6_700_000)
    assert world.required == 20_000_000


@pytest.mark.requirement("BR-02", "R14")
def test_what_another_partner_appeals_for_is_taken_off_the_line(kivara):
    version = make_version(kivara.plan, major=2)
    for place, sector, partner, amount in [
        (r.chapter.country_id, r.sector.sector.code, r.partner, r.gross_usd) for r in kivara.version.requirements.all()
    ]:
        covered = 200_000 if (place, sector, partner.name) == ("XAA", "PROT", "UN-A") else 0
        make_requirement(version, place, sector, partner, amount, covered_elsewhere_usd=covered)
    approve_version(version, approved_on=date(2026, 5, 1))
    rollups.recompute_stale()

    row = total(kivara)
    assert row.required == 19_800_000
    assert rollups.percent_2dp(row.coverage) == Decimal("67.17")
