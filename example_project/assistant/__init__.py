"""A parcel company's support assistant: small language models, answered by NumPy over a local HTTP server."""
