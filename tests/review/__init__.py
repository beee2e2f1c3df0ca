"""Tests of human evaluation."""
