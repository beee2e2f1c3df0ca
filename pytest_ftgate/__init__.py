"""pytest-ftgate: may this fine-tuned model ship?"""

__version__ = "0.1.0"
