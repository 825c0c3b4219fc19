"""Long work as rows: a job has an owner, a state, progress, a result and an error (architecture: mechanism 6)."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.models import Grant
from rrp_portal.reference.roles import Permission


class JobQuerySet(models.QuerySet):
    """Whose jobs, and which still run."""

    def visible_to(self, user):
        """The user's own jobs; an administrator sees all."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(Q(owner=user) | Exists(Grant.objects.giving(user, Permission.ADMINISTER)))


class Job(models.Model):
    """One long task. Running it twice does no harm; what it could not do is told row by row in `result`."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    kind = models.CharField(_("kind"), max_length=50)
    title = models.CharField(_("title"), max_length=200)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="jobs", verbose_name=_("owner")
    )
    arguments = models.JSONField(_("arguments"), default=dict)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    done = models.PositiveBigIntegerField(_("done"), default=0)
    total = models.PositiveBigIntegerField(_("of"), null=True)
    step = models.CharField(_("what it does now"), max_length=200, blank=True)
    result = models.JSONField(_("result"), null=True)
    error = models.TextField(_("error"), blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="job_by_owner"),
            models.Index(fields=["state"], name="job_unfinished", condition=Q(state__in=["waiting", "running"])),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def percent(self) -> int | None:
        """How much is done, 0 to 100, or None while the total is unknown."""
        if self.state == self.State.DONE:
            return 100
        return min(100, self.done * 100 // self.total) if self.total else None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in {self.State.DONE, self.State.FAILED}

    @property
    def may_retry(self) -> bool:
        """Whether it failed before its work began, so that it can go on with what it has fetched."""
        return self.state == self.State.FAILED and bool((self.result or {}).get("may_retry"))


class JobFile(models.Model):
    """A file that a job reads, kept until the job is done with it."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="files", verbose_name=_("job"))
    name = models.CharField(_("file name"), max_length=255)
    file = models.FileField(_("file"), upload_to="jobs/%Y/%m/", max_length=255)
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0)

    class Meta:
        verbose_name = _("file of a job")
        verbose_name_plural = _("files of jobs")

    def __str__(self) -> str:
        return self.name


class JobRow(models.Model):
    """One line of a job's report: what became of one row of its input, as a sentence translated when it is read."""

    class Outcome(models.TextChoices):
        REFUSED = "refused", _("Refused")
        IGNORED = "ignored", _("Left out")
        NOTED = "noted", _("To check")
        CREATED = "created", _("Created")
        UPDATED = "updated", _("Updated")
        UNCHANGED = "unchanged", _("Unchanged")

    job = models.ForeignKey(Job, models.CASCADE, related_name="rows", verbose_name=_("job"))
    outcome = models.CharField(_("what became of it"), max_length=10, choices=Outcome)
    file = models.CharField(_("file"), max_length=255, blank=True)
    line = models.PositiveBigIntegerField(_("line"), null=True)
    subject = models.CharField(_("what it is about"), max_length=255)
    text = models.TextField(_("sentence"), blank=True)
    values = models.JSONField(_("values in the sentence"), default=dict)

    class Meta:
        verbose_name = _("row of a job's report")
        verbose_name_plural = _("rows of jobs' reports")
        indexes = [models.Index(fields=["job", "outcome", "id"], name="job_row_by_outcome")]

    def __str__(self) -> str:
        return f"{self.subject}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """The sentence in the reader's language; `text` is the message id, `values` fill its placeholders."""
        return gettext(self.text) % self.values if self.text else ""


class Heartbeat(models.Model):
    """The last sign of life of the workers, which /readyz reads."""

    name = models.CharField(_("name"), max_length=50, primary_key=True)
    beaten_at = models.DateTimeField(_("beaten at"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name
