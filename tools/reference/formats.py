"""The page of formats."""


def formats_page() -> str:
    """Soon."""
    return "# Formats\n"
