"""Statistics on plain numbers: bounds, tests, agreement, power. Nothing here knows a case or a criterion.

Importing this package loads nothing: take what is needed from its modules. Those that resample (`bootstrap`,
`means`, `percentiles`, `totals`) load numpy; all others need only the standard library. Every function names
the source of its formula. Rates and confidences are 0…1; differences are model minus baseline.
"""
