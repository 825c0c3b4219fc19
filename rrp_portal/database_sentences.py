"""The sentences that database triggers raise, marked for translation: they stand in SQL, where the extraction does not look.

A trigger's sentence that Python says too is a marked constant beside its model instead.
"""

from django.utils.translation import gettext_noop

DATABASE_SENTENCES = (
    gettext_noop("An organisation of this type cannot own a requirement in a refugee response plan."),
    gettext_noop("Internally displaced people never stand in a refugee response plan."),
    gettext_noop("Migrants stand only in a refugee and migrant response plan."),
    gettext_noop("Organisations of this type own requirement lines. Move or withdraw their lines first."),
    gettext_noop("The chapter and the sector must belong to the same plan as the version."),
    gettext_noop("The code of a population group cannot change. Make a new group instead."),
    gettext_noop("The code of an organisation type cannot change. Make a new type instead."),
    gettext_noop("The line lies outside the plan's period."),
    gettext_noop("The plan has migrants, who stand only in a refugee and migrant response plan."),
    gettext_noop("The plan has requirement lines outside this period. Move them inside it first."),
    gettext_noop("The sector must belong to the same plan as the line."),
    gettext_noop(
        "This organisation owns requirement lines, and an organisation of this type cannot. "
        "Move or withdraw its lines first."
    ),
    gettext_noop("This organisation owns requirement lines, and the one it is merged into cannot."),
    gettext_noop("This population group stands in plans where it then could not. Take it out of them first."),
)
