"""Reports: an assessment in, text out. Nothing here judges, and nothing here knows pytest."""
