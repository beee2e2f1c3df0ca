"""Pages of docs/reference/, made from what the code declares; `python -m tools.reference` writes them."""
