"""Human evaluation: pairs of answers go out without saying whose they are, votes come back and are joined.

Nothing here asks a model, and nothing that a reviewer is given says which arm an answer is of.
"""

from pytest_ftgate.review.review_file import read_reviews

__all__ = ["read_reviews"]
