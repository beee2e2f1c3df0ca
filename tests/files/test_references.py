from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_ftgate.files.references import Unusable, read_regular_file
from tests.files.conftest import Complaints

RULE = "is outside the rootdir: paths are relative to the file they stand in, and stay in the rootdir"


def tools(written: str) -> str:
    return f"cases:\n  - id: a\n    prompt: x\n    expect: y\n    tools: {written}\n"


@pytest.mark.parametrize(
    "written",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "~/tools.json",
        "file:///etc/passwd",
        "http://example.com/tools.json",
        "//server/share/tools.json",
        "C:/tools.json",
    ],
)
def test_a_path_that_leaves_the_rootdir_is_refused(complaints: Complaints, written: str) -> None:
    assert complaints(tools(written)) == [f"evals/tools.evalcase.yaml:5:12: case 'a': '{written}' {RULE}"]


@pytest.mark.parametrize("written", ["out/tools.json", "out.json"])
def test_a_link_that_leads_out_of_the_rootdir_is_refused(
    complaints: Complaints, tmp_path: Path, written: str
) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "tools.json").write_text("[]")
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "out").symlink_to(outside)
    (tmp_path / "evals" / "out.json").symlink_to(outside / "tools.json")

    assert complaints(tools(written)) == [
        f"evals/tools.evalcase.yaml:5:12: case 'a': '{written}' leads out of the rootdir, "
        "through a symbolic link: copy the file"
    ]


def test_a_path_with_a_nul_is_refused(complaints: Complaints) -> None:
    assert complaints(tools('"a\\0b"')) == [f"evals/tools.evalcase.yaml:5:12: case 'a': 'a\\x00b' {RULE}"]


def test_a_path_may_leave_its_folder_within_the_rootdir(complaints: Complaints, tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text('[{"name": "f"}]')

    assert complaints(tools("../tools.json")) == []


def test_what_is_no_regular_file_is_refused_without_waiting(complaints: Complaints, tmp_path: Path) -> None:
    (tmp_path / "evals" / "folder.json").mkdir(parents=True)
    os.mkfifo(tmp_path / "evals" / "pipe.json")
    (tmp_path / "evals" / "loop.json").symlink_to("loop.json")
    (tmp_path / "evals" / "lfs.json").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\n")

    found = [
        complaints(tools(name))[0].partition("case 'a': ")[2]
        for name in ("folder.json", "pipe.json", "loop.json", "lfs.json", "tool.json")
    ]

    assert found[:2] == ["'folder.json' is a folder", "'pipe.json' is not a regular file"]
    assert found[2] in (
        "'loop.json' is a loop of symbolic links",
        "'loop.json' can't be opened: Too many levels of symbolic links",
    )
    assert found[3:] == [
        "'lfs.json' is a Git LFS pointer, not the file itself: run 'git lfs pull'",
        "'tool.json' does not exist. Did you mean 'loop.json'?",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{}", "'t.json': tools are a list of functions"),
        (b"[1]", "'t.json': tool 1 is no mapping with a name and parameters"),
        (b'[{"name": "f"}, {"function": {"name": "f"}}]', "'t.json': two tools are named 'f'"),
        (b'[{"name": "f", "parameters": []}]', "'t.json': the parameters of 'f' are no JSON Schema"),
        (
            b'[{"type": "web_search"}]',
            "'t.json': tool 1 has the type 'web_search': only 'function' is supported",
        ),
        (b'["\xe9"]', "'t.json': byte 0xe9 is not UTF-8 in line 1, column 3"),
    ],
)
def test_a_file_of_tools_that_holds_none_is_named(
    complaints: Complaints, tmp_path: Path, content: bytes, expected: str
) -> None:
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "t.json").write_bytes(content)

    assert complaints(tools("t.json")) == [f"evals/tools.evalcase.yaml:5:12: case 'a': {expected}"]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that opens and can't be read")
def test_a_file_that_breaks_off_while_it_is_read_is_unusable() -> None:
    with pytest.raises(Unusable, match=r"^can't be read: Input/output error$"):
        read_regular_file(Path("/proc/self/mem"), limit=1, remedy="split it")
