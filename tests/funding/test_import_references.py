"""What a flow names and the portal does not know comes in, and is told."""

from datetime import date

import pytest

from funding.models import Flow
from planning.models import Plan
from rrp_portal.reference.models import Currency, Organisation
from tests.factories import make_organisation
from tests.funding.fts import (
    AGENCY,
    DONOR,
    PLAN,
    bring_in,
    flow,
    make_reference,
    organisation,
    page,
    sentences,
    thing,
    year,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reference():
    make_reference()


def test_unknown_organisations_come_in_unverified_with_the_type_of_fts():
    job = bring_in(page(flow()))

    donor = Organisation.objects.get(fts_id=11)
    assert (donor.name, donor.type_id, donor.is_verified, donor.fts_type) == (
        "Government V",
        "gov_donor",
        False,
        "Government",
    )
    assert "Government V: This organisation was not known." in sentences(job, "noted")[0]


def test_a_merged_organisation_stands_for_what_it_was_merged_into():
    kept = make_organisation("Agency", "un_agency")
    middle = make_organisation("Agency W2", "un_agency", merged_into=kept)
    make_organisation("Agency W", "un_agency", fts_id=12, merged_into=middle)

    bring_in(page(flow()))

    assert Flow.objects.get().recipient == kept


def test_an_organisation_entered_here_without_its_fts_id_is_the_one_with_the_same_name():
    known = make_organisation("AGENCY w", "un_agency", is_verified=True)

    job = bring_in(page(flow()))

    known.refresh_from_db()
    assert (Flow.objects.get().recipient, known.fts_id, known.is_verified) == (known, 12, True)
    assert any("the same name" in sentence for sentence in sentences(job, "noted"))


def test_several_donors_are_told_and_none_stands_alone():
    job = bring_in(page(flow(source=[DONOR, organisation(14, "Government X", "Government"), year(2026)])))

    assert Flow.objects.get().donor is None
    assert any("several organisations (Government V, Government X)" in sentence for sentence in sentences(job, "noted"))


def test_an_unknown_plan_sector_location_and_currency_are_told_with_what_was_done():
    strange = thing("Cluster", 5009, "Zorbing")
    raw = flow(
        destination=[PLAN, AGENCY, strange, thing("Location", 999, "Atlantis"), year(2026)],
        originalAmount=1,
        originalCurrency="XYZ",
    )

    job = bring_in(page(raw))

    told = "\n".join(sentences(job, "noted"))
    plan = Plan.objects.get(fts_id=801)
    assert (plan.type, plan.code, plan.starts_on, plan.ends_on) == (
        "regional_rrp",
        "fts-801",
        date(2026, 1, 1),
        date(2026, 12, 31),
    )
    assert plan.sectors.get(fts_id=5009).sector.code == "OTHR"
    assert Currency.objects.filter(code="XYZ").exists()
    assert "Kivara Regional Refugee Response Plan 2026: This plan was not known." in told
    assert "Zorbing: This sector of the plan" in told
    assert "Atlantis: The portal does not know this location" in told
    assert "XYZ: This currency was not known." in told
