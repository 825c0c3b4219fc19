"""Pages of long lists that know whether there is a next one, and never count the whole table."""

from django.core.paginator import Paginator
from django.db.models import QuerySet


class Window:
    """One page of a queryset: it reads one row more than it shows."""

    paginator = None

    def __init__(self, queryset: QuerySet, number: str | None, size: int = 50) -> None:
        self.number = int(number) if number and number.isdecimal() and 0 < int(number) < 1_000_000 else 1
        start = (self.number - 1) * size
        rows = list(queryset[start : start + size + 1])
        self.object_list, self._more = rows[:size], len(rows) > size

    def __iter__(self):
        return iter(self.object_list)

    def __len__(self) -> int:
        return len(self.object_list)

    def has_next(self) -> bool:
        """Whether older rows follow."""
        return self._more

    def has_previous(self) -> bool:
        """Whether this is not the first page."""
        return self.number > 1

    def has_other_pages(self) -> bool:
        """Whether there is anything to leaf to."""
        return self.has_next() or self.has_previous()

    def next_page_number(self) -> int:
        """The number of the next page."""
        return self.number + 1

    def previous_page_number(self) -> int:
        """The number of the page before."""
        return self.number - 1


class Counted(Paginator):
    """Pages of a queryset whose length is known, or is counted without what only its order needs."""

    def __init__(self, rows: QuerySet, count: int, size: int = 50) -> None:
        super().__init__(rows, size)
        self.count = count
