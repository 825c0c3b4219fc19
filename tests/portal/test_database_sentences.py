"""What the database says when it refuses can be read in every language of the portal."""

import re
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection
from django.utils import translation

from funding.models.flow import LINES_WITHIN_FLOW
from planning.models.version import APPROVED_SENTENCE
from rrp_portal.api.refusals import CHECK_VIOLATION, broken_rule
from rrp_portal.database_sentences import DATABASE_SENTENCES
from rrp_portal.reference.models.money import OVERLAP

LITERAL = r"'(?:[^']|'')*'"
MESSAGE = re.compile(rf"\bMESSAGE\s*=\s*({LITERAL}(?:\s*\n\s*{LITERAL})*)")  # SQL joins literals across a line break
MARKED = {*DATABASE_SENTENCES, LINES_WITHIN_FLOW, APPROVED_SENTENCE, OVERLAP}


def raised_by_the_database() -> set[str]:
    """Every sentence that a trigger of the test database raises."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE prosrc ~ 'MESSAGE *='")
        sources = [source for (source,) in cursor.fetchall()]
    found = [literals for source in sources for literals in MESSAGE.findall(source)]
    assert len(found) == sum(len(re.findall(r"\bMESSAGE\s*=", source)) for source in sources)
    return {"".join(part[1:-1].replace("''", "'") for part in re.findall(LITERAL, literals)) for literals in found}


@pytest.mark.django_db
def test_every_sentence_of_a_trigger_is_marked_for_translation_and_no_other_is():
    assert raised_by_the_database() == MARKED


@pytest.mark.parametrize("language", ["fr", "es", "ar", "zh-hans"])
def test_every_sentence_of_a_trigger_is_translated(language):
    with translation.override(language):
        assert [sentence for sentence in sorted(MARKED) if translation.gettext(sentence) == sentence] == []


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar", "zh-hans"])
def test_a_refusal_without_words_still_says_what_to_do(language):
    error = IntegrityError()
    error.__cause__ = Exception()
    error.__cause__.pgcode = CHECK_VIOLATION
    error.__cause__.diag = SimpleNamespace(constraint_name=None, message_primary=None)
    with translation.override(language):
        (said,) = broken_rule(error).detail["non_field_errors"]
    assert said
    assert "Project-Id-Version" not in said
