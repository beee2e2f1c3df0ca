"""`python -m tools.reference`: writes docs/reference/ anew."""

from __future__ import annotations

from tools.reference.pages import FOLDER, reference_pages


def main() -> None:
    """Writes every page of the reference."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in reference_pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
