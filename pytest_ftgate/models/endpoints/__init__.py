"""Endpoints over HTTP: OpenAI, Azure, and all that speak chat completions or the Responses API."""
