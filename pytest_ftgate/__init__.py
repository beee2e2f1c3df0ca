"""A pytest plugin that decides whether a fine-tuned model may ship."""

__version__ = "0.1.0"
