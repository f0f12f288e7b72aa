"""What stands where data should: files that no reader can read, each with its cause and the remedy."""

from __future__ import annotations

import codecs
import errno
import os
import re
import shlex
import zipfile
from contextlib import suppress
from pathlib import Path

from jetbench.errors import DataFileError

__all__ = ["CONTAINERS", "container_of", "refuse_container", "refuse_stranger", "refuse_unreadable", "why_closed"]

HEAD = 512  # bytes: a header of tar, and more than any other that is looked for
HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP, PARQUET = b"PK\x03\x04", b"PAR1"
# by its name in cards how a file begins, and what it is called to people
CONTAINERS = {
    "hdf5": (HDF5, "an HDF5 file"),
    "npz": (ZIP, "an npz file"),
    "npy": (b"\x93NUMPY", "an npy file"),
    "parquet": (PARQUET, "a parquet file"),
    "root": (b"root", "a ROOT file"),
}
PRINTED = re.compile("[\t\n\r\x20-\x7e\xa0-\U0010ffff]+")
ARROW = (b"ARROW1", b"FEA1")
CUT = "cut short, without its end: a download or a copy that broke off; fetch it again"
# how a file begins that was compressed as a whole, and what unpacks it beside itself
COMPRESSED = {
    b"\x1f\x8b": ("gzip", "gunzip -k"),
    b"BZh": ("bzip2", "bunzip2 -k"),
    b"\xfd7zXZ\x00": ("xz", "unxz -k"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd -k"),
    b"7z\xbc\xaf\x27\x1c": ("7z", "7z x"),
}
ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")  # a stream by its level: what joblib writes as .z
PICKLE = re.compile(rb"\x80[\x02-\x05]")  # the opcode PROTO of protocol 2 and above
TORCH = re.compile(rb"PK\x03\x04.{26}[^/]{1,200}/(data\.pkl|\.format_version)", re.DOTALL)  # how torch.save names its first entry
SAVED = "load it where you trust it, and save its arrays with numpy.savez or h5py"
TAR = slice(257, 262)


def refuse_unreadable(path: Path) -> None:
    """Raise `DataFileError` where a file is certainly not what it is called: a stranger, or an HDF5 file that does not open."""
    if refuse_stranger(path).startswith(HDF5):
        import h5py

        try:
            h5py.File(path, "r").close()
        except OSError as error:
            raise DataFileError(f"{path}: {why_closed(error, path) or _damaged(error)}") from error


def container_of(head: bytes) -> str:
    """Name a container, as cards do, by how a file begins; empty where it is none."""
    return next((name for name, (start, _) in CONTAINERS.items() if head.startswith(start)), "")


def refuse_container(path: Path, expected: str) -> None:
    """Raise `DataFileError`, with what it is, where a file begins as another one than the `expected`, by its name in cards."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    name = container_of(head)
    if name == expected or not (name or _is_text(head)) or (expected == "hdf5" and not name and _behind_text(path)):
        return
    called = CONTAINERS[name][1] if name else "text, as CSV is"
    card = "a card of constituents" if name == "root" else "a card"  # images are dense arrays
    remedy = f"{card} for this file says `format: {name}`" if name else "write its numbers with numpy.savez or h5py"
    raise DataFileError(f"{path}: by its first bytes it is {called}, where {CONTAINERS[expected][1]} is expected; {remedy}")


def _is_text(head: bytes) -> bool:
    """Tell whether this is UTF-8 that can be printed; what is last may be cut."""
    with suppress(UnicodeDecodeError):
        return PRINTED.fullmatch(codecs.getincrementaldecoder("utf-8")().decode(head)) is not None
    return False


def _behind_text(path: Path) -> bool:
    """Tell whether HDF5 stands behind a block of its owner's own."""
    import h5py

    return bool(h5py.is_hdf5(path))


def refuse_stranger(path: Path) -> bytes:
    """Return how a file begins. Raises `DataFileError` where that is nothing, a pointer of git-lfs, a web page or an archive."""
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        hint = "; ask its owner for the permission" if error.errno == errno.EACCES else ""
        raise DataFileError(f"{path} cannot be read: {error.strerror}{hint}") from error
    if not head:
        raise DataFileError(f"{path} is empty; make or fetch the file again")
    if reason := _stranger(head, path):
        raise DataFileError(f"{path}: {reason}")
    return head


def _stranger(head: bytes, path: Path) -> str:
    """What the first bytes say that stands there instead of data; empty where they say nothing."""
    if head.startswith(b"version https://git-lfs.github.com/spec/"):
        return f"a pointer of git-lfs, not the data; fetch them: git lfs pull --include {shlex.quote(path.name)}"
    if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml)", head, re.IGNORECASE):
        return "a web page, not the data: what was saved is a server's answer, such as a page to sign in; download it again"
    for start, (name, command) in COMPRESSED.items():
        if head.startswith(start):
            return f"compressed as a whole ({name}); unpack it: {command} {shlex.quote(str(path))}"
    if head.startswith(ZLIB):
        return f"compressed as a whole (zlib), as joblib writes it; {SAVED}"
    if PICKLE.match(head) or TORCH.match(head):
        return f"a pickle{' of torch' if head.startswith(b'PK') else ''}, which may run code and is never read; {SAVED}"
    if head.startswith(ARROW):
        return "an Arrow file (feather), not parquet; write that: pyarrow.parquet.write_table(pyarrow.feather.read_table(…), …)"
    if head[TAR] == b"ustar":
        return f"an archive; unpack it: tar xf {shlex.quote(str(path))}"
    if head.startswith(ZIP) and zipfile.is_zipfile(path) and not _holds_arrays(path):
        return f"an archive; unpack it: unzip {shlex.quote(str(path))}"
    return _without_end(head, path)


def _holds_arrays(path: Path) -> bool:
    """Tell whether a zip archive is one of numpy's, or too damaged to tell."""
    with suppress(zipfile.BadZipFile, NotImplementedError, ValueError, OSError), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        return not names or any(name.endswith(".npy") for name in names)
    return True


def _without_end(head: bytes, path: Path) -> str:
    """What lacks the end that its format has, where a directory of its content stands."""
    if head.startswith(ZIP) and not zipfile.is_zipfile(path):
        return f"a zip archive, as of npz, {CUT}"
    if head.startswith(PARQUET):
        with open(path, "rb") as file:
            file.seek(-len(PARQUET), os.SEEK_END)
            if path.stat().st_size <= 2 * len(PARQUET) or file.read() != PARQUET:
                return f"parquet {CUT}"
    return ""


def why_closed(error: OSError, path: Path) -> str:
    """Say why HDF5 does not open one of its files, where the cause is known: cut short, locked by another program, or never
    closed; empty where it is not."""
    said = str(error)
    if error.errno in (errno.EAGAIN, errno.EACCES) or "unable to lock file" in said:
        return "open for writing in another program, a notebook perhaps; close it there"
    if "h5clear" in said:
        return (
            "marked as open for writing: the program that wrote it still does, or ended without closing it. Close it there, "
            f"or where it has ended clear the mark in a copy: h5clear -s {shlex.quote(path.name)}"
        )
    if cut := re.search(r"truncated file: eof = (\d+),.*stored_eof = (\d+)", said):
        return f"cut short, {cut[1]} of {cut[2]} bytes: a download or a copy that broke off; fetch it again"
    return ""


def _damaged(error: OSError) -> str:
    return f"damaged HDF5 ({str(error).partition(chr(10))[0][:300]}); make or fetch the file again"
