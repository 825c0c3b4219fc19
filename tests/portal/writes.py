"""Random writes through every door of the portal: the tracker's form, the API, an import, and SQL that knows no rule."""

import gzip
import json
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.test import Client

from funding.imports import start_import
from funding.models import Flow
from planning.models import PlanVersion, Requirement
from planning.services import approve_version
from rrp_portal.jobs import services as jobs
from tests.factories import make_user


class Writer:
    """Makes writes one after the other; counts which doors let them in and which refused."""

    def __init__(self, kivara, seed: int) -> None:
        self.kivara, self.plan, self.chance = kivara, kivara.plan, Random(seed)
        self.user = make_user("tracker@example.org", is_superuser=True)
        self.client = Client()
        self.client.force_login(self.user)
        self.sectors = {sector.sector.code: sector.pk for sector in self.plan.sectors.select_related("sector")}
        self.made = 0
        self.count: dict[str, int] = {}
        self.doors = [self.form, self.api, self.api, self.change, self.sql_amounts, self.sql_insert, self.sql_delete, self.sql_unlawful,
                      self.sql_status, self.bring_in, self.revise]  # fmt: skip

    def write(self) -> None:
        door = self.chance.choice(self.doors)
        self.made += 1
        done = door()
        key = f"{door.__name__} {'done' if done else 'refused'}"
        self.count[key] = self.count.get(key, 0) + 1

    def amount(self) -> str:
        return f"{self.chance.randint(100, 90_000_000) / 100:.2f}"

    def day(self) -> str:
        return (date(2026, 1, 1) + timedelta(days=self.chance.randint(0, 200))).isoformat()

    def someone(self, *names: str) -> str:
        return self.chance.choice(names or tuple(name for name in self.kivara.who if name != "Ministry of Health"))

    def form(self) -> bool:
        data = {
            "plans": [self.plan.code], "donor": self.someone("Gov X", "Gov V", "Company K", "UN-A"),
            "recipient": self.someone("UN-B", "RLO-E"),
            "original_amount": self.amount(), "currency": "USD", "status": self.someone("paid", "commitment", "pledge"),
            "decided_on": self.day(), "contribution_type": "financial", "method": "traditional", "is_new_money": "on",
            "lines_in": "original", "lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0", "lines-0-plan": self.plan.code,
            "lines-0-year": "2026", "lines-0-where": self.someone("XAA", "XBB", ""),
            "lines-0-sector": str(self.sectors[self.someone("PROT", "HLTH", "EDUC")]), "lines-0-amount": "",
            "confirm_pass_through": "on", "confirm_twin": "on",
        }  # fmt: skip
        answer = self.client.post("/flows/new/", data)
        assert answer.status_code in {302, 422}, answer.status_code
        return answer.status_code == 302

    def api(self) -> bool:
        line = {
            "plan": self.plan.code,
            "year": 2026,
            "country": self.someone("XAA", "XBB"),
            "plan_sector": self.chance.choice([*self.sectors.values(), None]),
        }
        body = {
            "donor": self.kivara.who[self.someone()].pk, "recipient": self.kivara.who[self.someone("UN-A", "UN-B", "INGO-C")].pk,
            "original_amount": self.amount(), "currency": "USD", "status": self.someone("paid", "commitment", "pledge"),
            "decided_on": self.day(), "lines": [line],
        }  # fmt: skip
        answer = self.client.post("/api/v1/flows/", json.dumps(body), content_type="application/json")
        assert answer.status_code in {201, 400, 429}, answer.content
        return answer.status_code == 201

    def change(self) -> bool:
        flow = self.some_flow()
        status = self.someone("paid", "commitment", "cancelled")
        body = {"status": status, "reason": "Changed by the donor."}
        answer = self.client.patch(f"/api/v1/flows/{flow}/", json.dumps(body), content_type="application/json")
        assert answer.status_code in {200, 400, 404, 412, 428, 429}, answer.content
        return answer.status_code == 200

    def some_flow(self) -> int:
        flows = list(Flow.objects.values_list("pk", flat=True)[:2000])
        return self.chance.choice(flows) if flows else 0

    def sql(self, statement: str, *parameters) -> bool:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.rowcount > 0
        except DatabaseError:
            return False

    def sql_amounts(self) -> bool:
        """Halves or doubles a slice of flows with their lines, in one bulk statement each."""
        share, rest = self.chance.choice([Decimal("0.5"), Decimal(2)]), self.chance.randint(0, 6)
        lines = "UPDATE funding_flowline SET amount_usd = round(amount_usd * %s, 2) WHERE flow_id %% 7 = %s"
        flows = "UPDATE funding_flow SET amount_usd = round(amount_usd * %s, 2) WHERE id %% 7 = %s"
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                for statement in (flows, lines) if share > 1 else (lines, flows):
                    cursor.execute(statement, [share, rest])
        except DatabaseError:
            return False
        return True

    def sql_insert(self) -> bool:
        return self.sql(
            """WITH made AS (
                   INSERT INTO funding_flow (reference, description, status, type, contribution_type, method, is_new_money, earmarking,
                       earmarking_modality, amount_usd, rate_source, valuation_basis, is_donor_anonymous, source_place, source_split,
                       reason, keywords, emergencies, project_name, project_code, report_details, channel, donor_id, recipient_id)
                   SELECT 'sql', '', 'paid', 'standard', 'financial', 'traditional', true, '', '', 100 * n, '', '', false, '', '', '',
                          '{}', '{}', '', '', '[]', 'form', %s, %s FROM generate_series(1, 5) n RETURNING id, amount_usd)
               INSERT INTO funding_flowline (flow_id, amount_usd, plan_id, year, place, country_id, split, sector_id, named_years,
                       named_countries, named_sectors)
               SELECT id, amount_usd, %s, 2026, 'country', 'XBB', 'single', %s, '{}', '{}', '{}' FROM made""",
            self.kivara.who[self.someone("Gov X", "UN-B", "CERF")].pk, self.kivara.who[self.someone("UN-A", "INGO-C")].pk,
            self.plan.pk, self.sectors["EDUC"],
        )  # fmt: skip

    def sql_delete(self) -> bool:
        flow = self.some_flow()
        if Flow.objects.filter(pk=flow, parent=None, children=None, corrections=None).exists():
            return self.sql("DELETE FROM funding_flowline WHERE flow_id = %s", flow)
        return False

    def sql_status(self) -> bool:
        return self.sql(
            "UPDATE funding_flow SET status = %s WHERE id %% 11 = %s",
            self.someone("paid", "commitment"),
            self.chance.randint(0, 10),
        )

    def sql_unlawful(self) -> bool:
        """What the database refuses; that it did is asserted."""
        unlawful = [
            (
                "UPDATE funding_flowline SET amount_usd = amount_usd * 1000 + 1000000 WHERE flow_id = %s",
                [self.kivara.flows["F11"].pk],
            ),
            (
                "UPDATE planning_requirement SET gross_usd = gross_usd + 1 WHERE version_id = %s",
                [self.kivara.version.pk],
            ),
            ("UPDATE reference_organisation SET type_id = 'gov_host' WHERE id = %s", [self.kivara.who["UN-A"].pk]),
        ]
        statement, parameters = self.chance.choice(unlawful)
        done = self.sql(statement, *parameters)
        assert not done, statement
        return done

    def bring_in(self) -> bool:
        """A file of flows as FTS answers them, some of them known already in an older version."""
        rows = [self.fts_flow(90_000 + self.chance.randint(1, 60)) for _ in range(5)]
        rows = list({row["id"]: row for row in rows}.values())
        content = gzip.compress("\n".join(json.dumps(row) for row in rows).encode())
        job = start_import(self.user, [ContentFile(content, name=f"flows-{self.made}.jsonl.gz")], wake=False)
        jobs.run(job.pk)
        job.refresh_from_db()
        assert job.state == "done", job.error
        return True

    def fts_flow(self, number: int) -> dict:
        def single(kind, key, name, **more):
            return {"type": kind, "id": str(key), "name": name, "behavior": "single"} | more

        return {
            "id": str(number), "amountUSD": self.chance.randint(-5_000, 500_000), "budgetYear": "2026", "contributionType": "financial",
            "flowType": "Standard", "newMoney": True, "status": self.someone("paid", "commitment"), "method": "Traditional aid",
            "versionId": self.made + 1, "date": "2026-03-01T00:00:00Z",
            "firstReportedDate": "2026-03-02T00:00:00Z",
            "createdAt": "2026-03-02T00:00:00Z", "updatedAt": "2026-03-02T00:00:00Z", "decisionDate": None,
            "description": "written at random",
            "originalAmount": None, "originalCurrency": None, "exchangeRate": None, "keywords": None, "parentFlowId": None,
            "childFlowIds": None, "grandBargainEarmarkingType": ["earmarked"], "reportDetails": [],
            "boundary": "incoming", "onBoundary": "single",
            "sourceObjects": [
                single("Organization", 4306, "Donor of FTS", organizationTypes=["Governments"]), single("UsageYear", 47, "2026"),
            ],
            "destinationObjects": [
                single("Plan", 4711, "FTS plan 2026"), single("Organization", 3777, "Recipient of FTS", organizationTypes=["NGOs"]),
                single("UsageYear", 47, "2026"),
            ],
        }  # fmt: skip

    def revise(self) -> bool:
        """A new approved version with another amount somewhere."""
        last = self.plan.versions.order_by("-major").first()
        if last.major > 30:
            return False
        version = PlanVersion.objects.create(plan=self.plan, major=last.major + 1, scope="revision")
        lines = list(last.requirements.all())
        raised = self.chance.randrange(len(lines))
        for index, line in enumerate(lines):
            Requirement.objects.create(
                version=version, chapter_id=line.chapter_id, sector_id=line.sector_id, partner_id=line.partner_id, year=line.year,
                gross_usd=line.gross_usd + (1000 if index == raised else 0), status=line.status,
            )  # fmt: skip
        approve_version(version, approved_on=date(2026, 4, 3))
        return True
