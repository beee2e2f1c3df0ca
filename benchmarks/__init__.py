"""What is measured, outside the tests: nothing here decides whether a change is right."""
