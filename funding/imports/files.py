"""Opening what people drop here: plain or gzip, UTF-8 only, never larger than allowed, and every refusal names its line."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from rrp_portal.jobs.services import Refusal

GZIP = b"\x1f\x8b"
BOM = codecs.BOM_UTF8
LONGEST_LINE = 8 * 1024 * 1024


def refuse(name: str, reason: str, line: int | None = None) -> Refusal:
    """The refusal of a whole file: its name, the line where known, the reason."""
    if line is None:
        return Refusal(_("%(file)s: %(reason)s Nothing was imported.") % {"file": name, "reason": reason})
    sentence = _("%(file)s, line %(line)s: %(reason)s Nothing was imported.")
    return Refusal(sentence % {"file": name, "line": line, "reason": reason})


def check_size(name: str, size: int) -> None:
    """Refuse a file larger than the portal reads, before it is read."""
    if size > settings.IMPORT_MAX_BYTES:
        reason = _("The file has %(size)s; the portal reads at most %(most)s. Split it into smaller files.")
        most = filesizeformat(settings.IMPORT_MAX_BYTES)
        raise refuse(name, reason % {"size": filesizeformat(size), "most": most})
    if size == 0:
        raise refuse(name, _("The file is empty."))


class CheckedStream(io.RawIOBase):
    """Bytes of a text file that are known to be UTF-8, without a byte-order mark, and not more than allowed."""

    def __init__(self, raw: IO[bytes], name: str, limit: int) -> None:
        self._raw, self.name, self._limit = raw, name, limit
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._bytes = 0
        self._lines = 0

    @property
    def line(self) -> int:
        """The line up to which bytes have been handed out."""
        return self._lines + 1

    def readable(self) -> bool:
        """Always: this is for reading."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with checked bytes; raises Refusal with the line."""
        data = self._read(len(buffer))
        if self._bytes == 0 and data.startswith(BOM):
            self._bytes += len(BOM)
            data = data[len(BOM) :] or self._read(len(buffer))
        self._check(data)
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        try:
            return self._raw.read(size)
        except EOFError:
            raise refuse(self.name, _("The compressed file is cut off. Get it again."), self.line) from None
        except (gzip.BadGzipFile, zlib.error):
            raise refuse(self.name, _("The compressed file is damaged. Get it again."), self.line) from None

    def _check(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > self._limit:
            reason = _("Unpacked, the file has more than %(most)s, which is the most that the portal reads.")
            raise refuse(self.name, reason % {"most": filesizeformat(self._limit)}, self.line)
        try:
            self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            line = self.line + bytes(error.object[: error.start]).count(b"\n")
            reason = _("The text is not UTF-8. Save the file with the encoding UTF-8 and try again.")
            raise refuse(self.name, reason, line) from None
        if b"\0" in data:
            line = self.line + data[: data.index(b"\0")].count(b"\n")
            raise refuse(self.name, _("This is not a text file: it contains zero bytes."), line)
        self._lines += data.count(b"\n")


@contextmanager
def opened(file: BinaryIO, name: str) -> Iterator[io.BufferedReader]:
    """The checked bytes of a file from its beginning, unpacked where it is gzip."""
    file.seek(0)
    packed = file.read(len(GZIP)) == GZIP
    file.seek(0)
    raw = cast(IO[bytes], gzip.GzipFile(fileobj=file, mode="rb") if packed else file)
    yield io.BufferedReader(CheckedStream(raw, name, settings.IMPORT_MAX_BYTES), buffer_size=64 * 1024)


def lines_of(stream: io.BufferedReader, name: str) -> Iterator[tuple[int, str]]:
    """The numbered lines of a stream that are not blank; refuses a line longer than any real one."""
    number = 0
    while data := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(data) > LONGEST_LINE:
            raise refuse(name, _("This line is too long to be a flow. Is this really one object a line?"), number)
        if text := data.decode("utf-8").strip():
            yield number, text
