"""The form of an import: files, or what to fetch from FTS."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from funding.imports.files import check_size
from funding.imports.reading import recognise
from rrp_portal.jobs.services import Refusal

MOST_FILES = 50


class FilesInput(forms.ClearableFileInput):
    """A file control that takes several files, chosen or dropped."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class FilesField(forms.FileField):
    """Several files, each known to be something that the import reads."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        """The files; raises ValidationError with one sentence for each that cannot be read."""
        single = super().clean
        files = [single(file, initial) for file in data] if isinstance(data, (list, tuple)) else [single(data, initial)]
        files = [file for file in files if file]
        if len(files) > MOST_FILES:
            raise forms.ValidationError(_("Choose at most %(most)s files at once."), params={"most": MOST_FILES})
        errors = []
        for file in files:
            try:
                check_size(file.name, file.size)
                recognise(file, file.name)
            except Refusal as refusal:
                errors.append(str(refusal))
        if errors:
            raise forms.ValidationError(errors)
        return files


class ImportForm(forms.Form):
    """Either files, or a plan or a year to fetch."""

    files = FilesField(  # type: ignore[assignment]  # the field's name is also that of a form's uploads, which nothing here reads
        label=_("Files"),
        required=False,
        allow_empty_file=True,
        help_text=_(
            "Drop files here or choose them: answers of the FTS API (JSON), one flow a line (JSON lines), or the CSV files of "
            "the Humanitarian Data Exchange with flows or requirements. Compressed files (.gz) as well."
        ),
        widget=FilesInput(attrs={"accept": ".json,.jsonl,.ndjson,.csv,.gz"}),
    )
    is_complete = forms.BooleanField(
        label=_("The files hold every flow of their plans and years"),
        required=False,
        help_text=_(
            "Tick this for complete answers: the report then names the flows that FTS does not give any more. Nothing is deleted."
        ),
    )
    plan = forms.IntegerField(
        label=_("FTS plan id"),
        required=False,
        min_value=1,
        max_value=2_000_000_000,
        help_text=_("Without files: fetches the plan from FTS. With an answer grouped by cluster: the plan it is for."),
    )
    year = forms.IntegerField(
        label=_("Year"),
        required=False,
        min_value=1990,
        max_value=2100,
        help_text=_("Without files: fetches the flows of this usage year, of the plan where one is given."),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a form that says nothing."""
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.get(name) for name in ("files", "plan", "year")):
            raise forms.ValidationError(_("Choose the files to import, or say which plan or year to fetch from FTS."))
        return cleaned
