from __future__ import annotations

import bz2
import gzip
import lzma
import os
import pickle
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from jetbench.errors import DataFileError
from jetbench.formats.conversion import convert
from jetbench.formats.npz import NpzTable
from jetbench.jets import open_jets
from jetbench.jets.foreign import refuse_unreadable

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 106689379\n"
WRITER = """
import h5py, numpy, os, signal, sys, time
file = h5py.File(sys.argv[1], sys.argv[2], libver="latest")
if sys.argv[2] == "w":
    file["x"] = numpy.arange(10000.0)
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
print("held", flush=True)
time.sleep(600)
"""


def tar(path: Path) -> None:
    inside = path.with_suffix(".inside")
    inside.write_bytes(b"0" * 10_000)
    with tarfile.open(path, "w") as archive:
        archive.add(inside)


def killed(path: Path) -> None:
    """An HDF5 file whose writer was killed before it closed it."""
    subprocess.run([sys.executable, "-c", WRITER, str(path), "w"], check=False)


def cut_npz(path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, x=np.arange(1000.0), y=np.arange(1000.0))
    os.truncate(path, path.stat().st_size // 2)


def cut_parquet(path: Path) -> None:
    pq.write_table(pa.table({"x": np.arange(1000.0)}), path)
    os.truncate(path, path.stat().st_size // 2)


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("jets.root", b"root")


def cut(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["x"] = [0.0] * 10_000
    os.truncate(path, 30_000)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.write_bytes(POINTER), r"a pointer of git-lfs, not the data; fetch them: git lfs pull --include x\.h5"),
        (lambda path: path.write_bytes(b"\n<!DOCTYPE html><html>Sign in</html>"), "a web page, not the data"),
        (
            lambda path: path.write_bytes(b"\xef\xbb\xbf<?xml version='1.0'?><Error/>"),
            "a web page, not the data",
        ),
        (
            lambda path: path.write_bytes(gzip.compress(b"0" * 1000)),
            r"compressed as a whole \(gzip\); unpack it: gunzip -k /",
        ),
        (lambda path: path.write_bytes(bz2.compress(b"0" * 1000)), r"compressed as a whole \(bzip2\)"),
        (lambda path: path.write_bytes(lzma.compress(b"0" * 1000)), r"compressed as a whole \(xz\)"),
        (tar, "an archive; unpack it: tar xf"),
        (zipped, "an archive; unpack it: unzip /"),
        (killed, r"marked as open for writing: .* clear the mark in a copy: h5clear -s x\.h5"),
        (cut, r"cut short, 30000 of 8\d{4} bytes"),
        (cut_npz, "a zip archive, as of npz, cut short, without its end: a download or a copy that broke off; fetch it again"),
        (cut_parquet, "parquet cut short, without its end"),
        (lambda path: path.write_bytes(b"PAR1"), "parquet cut short, without its end"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(zlib.compress(b"0" * 1000)), r"compressed as a whole \(zlib\), as joblib writes it"),
        (lambda path: path.write_bytes(pickle.dumps([1.0])), "a pickle, which may run code and is never read; load it where you"),
        (lambda path: torch.save([1.0], path), "a pickle of torch, which may run code"),
    ],
    ids=[
        "git-lfs",
        "html",
        "xml",
        "gzip",
        "bzip2",
        "xz",
        "tar",
        "zip",
        "never closed",
        "cut",
        "npz",
        "parquet",
        "magic",
        "empty",
        "joblib",
        "pickle",
        "torch",
    ],
)
def test_what_is_no_data_is_named_with_its_remedy(make: Callable[[Path], None], told: str, tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    make(path)
    for look in (refuse_unreadable, open_jets, lambda path: convert([path], tmp_path / "jets.h5")):
        with pytest.raises(DataFileError, match=f"x.h5:? {told}"):
            look(path)


def test_a_file_that_another_program_writes_is_named(toy_file: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(toy_file), "a"], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "held\n"
        with pytest.raises(DataFileError, match=r"toy\.h5: open for writing in another program, .*; close it there"):
            open_jets(toy_file)
        writer.kill()
    refuse_unreadable(toy_file)


def test_a_damaged_directory_of_an_archive_does_not_tell_that_it_has_no_arrays(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, x=np.zeros(3))
    whole = path.read_bytes()
    start = whole.index(b"PK\x01\x02")  # of the central directory: its mark, and the version that it needs
    for at, damage in ((start, b"??"), (start + 6, b"\xff\xff")):
        path.write_bytes(whole[:at] + damage + whole[at + 2 :])
        refuse_unreadable(path)
        with pytest.raises(DataFileError, match=r"x\.npz: damaged, truncated or of another format"):
            NpzTable(path, ["x"])
