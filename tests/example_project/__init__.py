"""Tests of the example's assistant: its models, and the server that they answer through."""
