"""Reads what users write: case files, data sets and `ftgate.yaml`. Only this folder imports yaml."""
