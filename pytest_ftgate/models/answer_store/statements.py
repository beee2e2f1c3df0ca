"""What the answer store says to SQLite. Lists go in and come out as JSON: one value, one row, one call."""

from __future__ import annotations

# How the parameters are called: :run, :session and :me (the owner) are always given; :any is 1 where the
# answers of every run count, :upto the last row that was there before this session.

_KEYS = "SELECT value FROM json_each(:keys)"
# What somebody put there that is no text is no answer either, and no reason to stop.
_TEXT = "iif(typeof({0}) = 'blob', 'no text', {0})"
_COLUMNS = ", ".join(
    _TEXT.format(one) for one in ("run_id", "key", "who", "completion", "error", "created", "hash")
)
_AS_JSON = f"json_group_array(json_array(seq, {_COLUMNS}))"
_COUNTS = "(scope = '' AND (:any OR run_id = :run) OR run_id = :run AND scope = :session)"
_IS_OPEN = f"NOT EXISTS (SELECT 1 FROM answers WHERE answers.key = value AND {_COUNTS})"  # noqa: S608 - all ours
_IS_ALIVE = """
    EXISTS (SELECT 1 FROM owners WHERE owners.owner = claims.owner AND boot = :boot AND until > :now)
"""

OUTCOMES = f"""
    SELECT {_AS_JSON} FROM (SELECT * FROM answers WHERE key IN ({_KEYS}) AND {_COUNTS} ORDER BY seq)
"""  # noqa: S608 - all ours
NEWS = f"""
    SELECT {_AS_JSON} FROM (
        SELECT * FROM answers WHERE seq > :seen AND run_id = :run AND owner <> :me AND scope IN ('', :session)
        ORDER BY seq LIMIT :at_once
    )
"""  # noqa: S608 - all ours
FIRST_NEW = f"""
    SELECT {_AS_JSON} FROM (
        SELECT * FROM answers WHERE seq > :upto AND run_id = :run AND scope = '' AND who = :who
        ORDER BY seq LIMIT 1
    )
"""  # noqa: S608 - all ours
EARLIER = """
    SELECT json_group_array(key) FROM answers
    WHERE run_id = :run AND scope = '' AND seq <= :upto AND typeof(key) = 'text'
"""
HEARD_OF = """
    SELECT EXISTS (
        SELECT 1 FROM answers WHERE seq > :upto AND run_id = :run AND scope IN ('', :session) AND who = :who
        AND (error IS NULL OR error NOT LIKE '%"fatal": true%')
    )
"""
COUNT = "SELECT count(*) FROM answers WHERE run_id = :run AND scope = ''"
CLAIMS = f"""
    SELECT json_group_array(json_array(key, owner, coalesce(until, 0)))
    FROM claims LEFT JOIN owners USING (owner) WHERE claims.run_id = :run AND key IN ({_KEYS})
"""  # noqa: S608 - all ours
CLAIM = f"""
    INSERT INTO claims (run_id, key, owner)
    SELECT :run, value, :me FROM json_each(:keys) WHERE {_IS_OPEN}
    ON CONFLICT DO UPDATE SET owner = excluded.owner WHERE NOT {_IS_ALIVE}
"""  # noqa: S608 - all ours
ABANDONED = f"""
    SELECT json_group_array(value) FROM (
        SELECT value FROM json_each(:keys) WHERE {_IS_OPEN} AND NOT EXISTS (
            SELECT 1 FROM claims WHERE claims.run_id = :run AND claims.key = value AND {_IS_ALIVE}
        ) LIMIT :at_once
    )
"""  # noqa: S608 - all ours
KEEP = """
    INSERT INTO answers (run_id, owner, scope, key, who, completion, error, created, hash)
    SELECT :run, :me, json_extract(value, '$[0]'), json_extract(value, '$[1]'),
        json_extract(value, '$[2]'), json_extract(value, '$[3]'), json_extract(value, '$[4]'),
        json_extract(value, '$[5]'), json_extract(value, '$[6]')
    FROM json_each(:rows) WHERE NOT EXISTS (
        SELECT 1 FROM answers
        WHERE run_id = :run AND answers.key = json_extract(value, '$[1]') AND scope IN ('', :session)
    )
    ON CONFLICT DO NOTHING
"""
# The row stays: only `ftgate cache prune` deletes. Its key is open again, for everybody.
PUT_ASIDE = "UPDATE answers SET scope = :aside || seq WHERE seq = :seq AND scope IN ('', :session)"
UNCLAIM = "DELETE FROM claims WHERE run_id = :run AND key = :key"
GIVE_BACK = f"DELETE FROM claims WHERE run_id = :run AND owner = :me AND key IN ({_KEYS})"  # noqa: S608 - all ours
BEAT = """
    INSERT INTO owners (owner, run_id, until, boot, pids, pid) VALUES (:me, :run, :until, :boot, :pids, :pid)
    ON CONFLICT DO UPDATE SET until = excluded.until, pid = excluded.pid
"""
FORGET = "UPDATE owners SET until = 0 WHERE owner = :owner"
OWNERS = "SELECT owner, boot, pids, pid FROM owners WHERE run_id = :run AND until > 0"

JOINED = "SELECT run_id, upto FROM sessions WHERE session = :session"
UNFINISHED = """
    SELECT run_id FROM runs WHERE plan = :plan AND finished IS NULL AND :oldest < (
        SELECT max(created) FROM answers WHERE answers.run_id = runs.run_id AND scope = ''
    ) ORDER BY started DESC LIMIT 1
"""
# How many answers, and when the first of them came: of this run before this session, and of the newest
# unfinished run with another plan.
TAKEN_UP = """
    SELECT json_array(count(*), min(created)) FROM answers
    WHERE run_id = :run AND scope = '' AND seq <= :upto
"""
PASSED_OVER = """
    SELECT json_array(count(*), min(created)) FROM answers WHERE scope = '' AND run_id = (
        SELECT runs.run_id FROM runs JOIN answers USING (run_id)
        WHERE finished IS NULL AND plan NOT IN ('', :plan) AND scope = '' AND created > :oldest
        ORDER BY created DESC LIMIT 1
    )
"""
BEGIN_RUN = "INSERT OR IGNORE INTO runs (run_id, plan, models, started) VALUES (:run, :plan, :models, :wall)"
BEGIN_SESSION = """
    INSERT INTO sessions (session, run_id, upto, started)
    VALUES (:session, :run, (SELECT coalesce(max(seq), 0) FROM answers), :wall)
"""
FINISH = """
    UPDATE runs SET finished = :wall
    WHERE run_id = (SELECT run_id FROM sessions WHERE session = :session) AND plan <> ''
"""
STOP = "UPDATE sessions SET stop = coalesce(stop, :reason) WHERE session = :session"
STOPPED = "SELECT stop FROM sessions WHERE session = :session"
SPEND = "UPDATE sessions SET tokens = tokens + :tokens, cost = cost + :cost WHERE session = :session"
SPENT = "SELECT json_array(tokens, cost) FROM sessions WHERE session = :session"
