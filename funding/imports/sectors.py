"""Which sector an FTS cluster is: from its global cluster, from its name, or «other» until a person says more (BR-10)."""

import re
from collections.abc import Sequence

from django.utils.translation import gettext_noop

from funding.imports.mapping import Thing
from funding.imports.report import Report
from planning.models import Plan, PlanSector
from rrp_portal.reference.models import GlobalCluster, Sector

OTHER = "OTHR"

ADDED = gettext_noop("This sector of the plan %(plan)s was not known. It was added under %(sector)s.")
UNMAPPED = gettext_noop(
    "This sector of the plan %(plan)s was not known and nothing tells what it is. "
    "It was added under %(sector)s; choose its sector."
)
NEW_GLOBAL = gettext_noop("This global cluster was not known. It was added under %(sector)s; choose its sector.")

# Words in a cluster's name that tell its sector, the more telling first.
_WORDS = (
    ("CP", r"child protection|protección de la niñez"),
    ("GBV", r"gender|gbv"),
    ("WASH", r"wash\b|water|hygiene|sanitation"),
    ("NUTR", r"nutrition"),
    ("HLTH", r"health"),
    ("EDUC", r"education"),
    ("FOOD", r"food"),
    ("SHEL", r"shelter|settlement|housing|site management"),
    ("NFI", r"\bnfis?\b|non-food"),
    ("CASH", r"\bcash\b|multi-?purpose"),
    ("LIVE", r"livelihood|economic|integration|self-reliance|resilience"),
    ("SOCO", r"cohesion|stability"),
    ("LOGS", r"logistic|telecom|aviation"),
    ("TRAN", r"transport"),
    ("ENEN", r"energy|environment"),
    ("BASIC", r"basic needs|basic assistance"),
    ("COOR", r"coordination|common services|information management|cwc|communication with communities"),
    ("TRAF", r"traffick|smuggl"),
    ("MINE", r"mine action"),
    ("AGRI", r"agricultur"),
    ("MULT", r"multi-?sector"),
    ("PROT", r"protection"),
)


class Sectors:
    """The sectors that an import names: of plans by FTS cluster, and of the world by global cluster."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._sectors = {sector.code: sector for sector in Sector.objects.all()}
        self._by_name = {_plain(sector.name): sector for sector in self._sectors.values()}
        clusters = list(GlobalCluster.objects.select_related("sector"))
        self._global = {cluster.fts_id: cluster.sector for cluster in clusters}
        self._global_by_name = {
            _plain(name): cluster.sector
            for cluster in clusters
            for name in (cluster.name, cluster.name.split(" - ")[-1])
        }
        self.global_names = sorted({name for c in clusters for name in (c.name, c.name.split(" - ")[-1])})
        self._of_plan: dict[int, dict[int | str, PlanSector]] = {}

    def _other(self) -> Sector:
        if OTHER not in self._sectors:
            self._sectors[OTHER] = Sector.objects.create(code=OTHER, name="Other", position=990)
        return self._sectors[OTHER]

    def global_sector(self, thing: Thing) -> Sector:
        """The sector of a global cluster; an unknown one is added under «other» and reported."""
        sector = self._global.get(thing.id or 0) or self._global_by_name.get(_plain(thing.name))
        if sector is None:
            sector = self._from_words(thing.name) or self._other()
            self._global_by_name[_plain(thing.name)] = sector
            if thing.id:
                GlobalCluster.objects.create(fts_id=thing.id, name=thing.name[:200], sector=sector)
                self._global[thing.id] = sector
            self._report.note(thing.name, NEW_GLOBAL, sector=sector.name)
        return sector

    def of_plan(self, plan: Plan, cluster: Thing, global_clusters: Sequence[Thing] = ()) -> PlanSector:
        """The plan's sector for an FTS cluster, by its id, then by its name; an unknown one is added and reported."""
        known = self._known(plan)
        if cluster.id and cluster.id in known:
            return known[cluster.id]
        name = cluster.name[:200]
        namesake = known.get(name.casefold())
        if namesake and (namesake.fts_id is None or cluster.id is None):
            if cluster.id:
                namesake.fts_id = cluster.id
                namesake.save(update_fields=["fts_id"])
                known[cluster.id] = namesake
            return namesake
        if namesake:
            name = f"{name[:180]} ({cluster.id})"
        return self._add(plan, name, cluster, global_clusters)

    def _add(self, plan: Plan, name: str, cluster: Thing, global_clusters: Sequence[Thing]) -> PlanSector:
        known = self._known(plan)
        sector = self._named(cluster.name)
        if sector is None and len(global_clusters) == 1 and global_clusters[0].is_single:
            sector = self.global_sector(global_clusters[0])
        sector = sector or self._from_words(cluster.name)
        text, sector = (ADDED, sector) if sector else (UNMAPPED, self._other())
        added = PlanSector.objects.create(
            plan=plan, sector=sector, name=name, fts_id=cluster.id, position=sector.position
        )
        known[name.casefold()] = added
        if cluster.id:
            known[cluster.id] = added
        self._report.note(name, text, plan=plan.name, sector=sector.name)
        return added

    def _known(self, plan: Plan) -> dict[int | str, PlanSector]:
        if plan.pk not in self._of_plan:
            known: dict[int | str, PlanSector] = {}
            for sector in PlanSector.objects.filter(plan=plan):
                known[sector.name.casefold()] = sector
                if sector.fts_id:
                    known[sector.fts_id] = sector
            self._of_plan[plan.pk] = known
        return self._of_plan[plan.pk]

    def _named(self, name: str) -> Sector | None:
        """The sector with exactly this name, here or among the global clusters."""
        return self._global_by_name.get(_plain(name)) or self._by_name.get(_plain(name))

    def _from_words(self, name: str) -> Sector | None:
        """The sector that a word in the name tells."""
        words = (code for code, pattern in _WORDS if code in self._sectors and re.search(pattern, name, re.IGNORECASE))
        return next((self._sectors[code] for code in words), None)


def _plain(name: str) -> str:
    """A name without capitals, punctuation and the mark of plans that were split for COVID-19."""
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"covid-?19$", "", name.casefold().strip())).strip()
