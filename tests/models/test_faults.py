"""What endpoints do wrong, on real sockets, and what is then said."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from dataclasses import replace

import pytest

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models.endpoints.proxy import Proxy
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from tests.models.asking import KEY, QUICK, answer_of, chat, error_of, outcomes
from tests.support.requests import request, requests
from tests.support.server import ChatServer, Reply, error_reply


def always(reply: Reply) -> ChatServer:
    return ChatServer(lambda _: reply)


def nobody_listens() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 529])
def test_a_passing_trouble_is_retried(status: int) -> None:
    with ChatServer(script=[Reply(status=status, body=b"busy")] * 2) as server:
        answer = answer_of(chat(server.url))

    assert answer.text == "What is the capital of France?"
    assert server.count == 3


def test_a_lasting_trouble_is_an_error_after_six_attempts() -> None:
    with always(Reply(status=503, body=b"<html>down</html>")) as server:
        error = error_of(chat(server.url))

    assert type(error) is ModelError
    assert str(error) == f'HTTP 503 from {server.url}: "<html>down</html>" (6 attempts)'
    assert server.count == 6


@pytest.mark.parametrize("status", [400, 413, 422])
def test_other_client_errors_are_not_retried_whatever_a_header_says(status: int) -> None:
    with always(error_reply(status, "no", headers={"x-should-retry": "true"})) as server:
        error = error_of(chat(server.url))

    assert type(error) is ModelError
    assert (error.kind, server.count) == ("status", 1)


def test_a_wrong_key_is_fatal_and_the_key_is_not_in_the_message() -> None:
    echoed = f"Incorrect API key provided: {KEY}. It starts with {KEY[:12]} and ends with {KEY[-8:]}"

    with always(error_reply(401, echoed, code="invalid_api_key")) as server:
        error = error_of(chat(server.url))

    assert type(error) is FatalModelError
    assert str(error) == (
        f"HTTP 401 from {server.url}/chat/completions for model 'ft:gpt': "
        '"Incorrect API key provided: [redacted]. It starts with [redacted] and ends with [redacted]". '
        "Check the key in OPENAI_API_KEY, and that it may use this model"
    )
    assert server.count == 1


def test_a_missing_key_is_named_as_such() -> None:
    with always(error_reply(401, "who are you?")) as server:
        error = error_of(chat(server.url, api_key=None, api_key_env=None))

    assert str(error) == (
        f"HTTP 401 from {server.url}/chat/completions for model 'ft:gpt': \"who are you?\". "
        "No key was sent: name its variable as api_key_env in ftgate.yaml"
    )


def test_an_unknown_model_is_fatal() -> None:
    with always(error_reply(404, "The model does not exist", code="model_not_found")) as server:
        error = error_of(chat(server.url, hint=" (did you mean 'tuned'?)"))

    assert type(error) is FatalModelError
    assert str(error) == (
        f"HTTP 404 from {server.url}/chat/completions for model 'ft:gpt': \"The model does not exist\". "
        "Check the model's name (did you mean 'tuned'?)"
    )


def test_a_base_url_without_v1_is_suspected() -> None:
    with ChatServer(lambda _: Reply(status=404, body=b"404: Not Found"), path="") as server:
        error = error_of(chat(server.url))

    assert str(error) == (
        f"HTTP 404 from {server.url}/chat/completions for model 'ft:gpt': \"404: Not Found\". "
        f"Check the model's name, and base_url, which usually ends in /v1 (it is {server.url})"
    )


@pytest.mark.parametrize("status", [403, 404])
def test_after_an_answer_a_403_or_404_is_that_trials_error_alone(status: int) -> None:
    with ChatServer(script=["Paris", error_reply(status, "blocked")]) as server:
        _, error, after = outcomes(chat(server.url), requests(3))

    assert type(error) is ModelError
    assert str(error) == f'HTTP {status} from {server.url}: "blocked"'
    assert not isinstance(after, ModelError)


def test_no_quota_is_fatal_at_once() -> None:
    with always(error_reply(429, "You exceeded your current quota", code="insufficient_quota")) as server:
        error = error_of(chat(server.url))

    assert type(error) is FatalModelError
    assert str(error) == (
        f"HTTP 429 from {server.url}/chat/completions for model 'ft:gpt': "
        '"You exceeded your current quota". The account has no quota left; retrying does not help'
    )
    assert server.count == 1


@pytest.mark.parametrize(
    "error", [{"type": "insufficient_quota", "code": "hard_limit"}, {"type": "insufficient_quota"}]
)
def test_no_quota_is_known_by_the_type_of_the_error_too(error: dict[str, str]) -> None:
    body = json.dumps({"error": {"message": "no more", **error}}).encode()

    with always(Reply(status=429, body=body, headers={"Retry-After": "1"})) as server:
        found = error_of(chat(server.url))

    assert type(found) is FatalModelError
    assert server.count == 1


def test_a_reset_connection_is_retried() -> None:
    resets = 2

    def serve(listener: socket.socket) -> None:
        for number in range(resets + 1):
            connection, _ = listener.accept()
            connection.recv(65536)
            if number < resets:
                # Closing with nothing to linger for sends RST.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                body = Reply(text="Paris").content("/v1/chat/completions", {})
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        answer = answer_of(chat(f"http://127.0.0.1:{listener.getsockname()[1]}/v1"))
        server.join()

    assert answer.text == "Paris"


def test_an_endless_body_is_cut_off() -> None:
    endless = Reply(body=b"x" * 100_000_000, chunks=1000, chunk_delay_s=0.0005)

    with always(endless) as server:
        error = error_of(chat(server.url, max_bytes=100_000))

    assert str(error) == f"the answer is longer than 100,000 bytes, from {server.url}"
    assert (error.kind, server.count) == ("too_large", 1)


@pytest.mark.parametrize("wish", ["0", "-5", "NaN", "soon", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_retry_after_that_asks_for_nothing_is_soon_retried(wish: str) -> None:
    with ChatServer(script=[Reply(status=429, headers={"Retry-After": wish}, body=b"slow down")]) as server:
        started = time.perf_counter()
        answer_of(chat(server.url))

    assert time.perf_counter() - started < 5  # what it takes is a matter of milliseconds
    assert server.count == 2


def test_retry_after_is_honoured() -> None:
    with ChatServer(
        script=[Reply(status=429, headers={"retry-after-ms": "300"}, body=b"slow down")]
    ) as server:
        started = time.perf_counter()
        answer_of(chat(server.url))

    assert time.perf_counter() - started >= 0.3


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("90", "the next request may start in 90 s"),
        ("130", "the next request may start in 130 s"),
        ("1e999", "the next request may start in a time that never comes"),
    ],
)
def test_a_retry_after_beyond_the_budget_ends_the_run_at_once(wish: str, said: str) -> None:
    with always(Reply(status=429, headers={"Retry-After": wish}, body=b"slow down")) as server:
        error = error_of(chat(server.url))

    assert type(error) is FatalModelError
    assert str(error) == (
        f'HTTP 429 from {server.url}: "slow down"; {said}, only 2 s are left of retry_budget_s 2'
    )
    assert (error.kind, server.count) == ("rate_limit", 1)


def test_a_date_far_away_is_beyond_the_budget() -> None:
    headers = {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}

    with always(Reply(status=503, headers=headers, body=b"later")) as server:
        error = error_of(chat(server.url))

    assert str(error).startswith(f'HTTP 503 from {server.url}: "later"; the next request may start in ')
    assert error.kind == "outage"


def test_after_an_answer_the_message_says_that_answers_are_kept() -> None:
    script: list[str | Reply] = [
        "Paris",
        Reply(status=429, headers={"Retry-After": "130"}, body=b"slow down"),
    ]

    with ChatServer(script=script) as server:
        first, second, third = outcomes(chat(server.url), requests(3))

    assert isinstance(first, Completion)
    assert str(second) == (
        f'HTTP 429 from {server.url}: "slow down"; the next request may start in 130 s, only 2 s are left of '
        "retry_budget_s 2. Answers received are kept: the same command goes on from there"
    )
    assert str(third) == str(second)
    assert server.count == 2


def test_a_503_with_retry_after_makes_all_wait() -> None:
    script: list[str | Reply] = ["x", Reply(status=503, headers={"Retry-After": "1"}, body=b"later")]

    with ChatServer(script=script) as server:
        started = time.perf_counter()
        answers = outcomes(chat(server.url, retry=replace(QUICK, timeout_s=0.5)), requests(3))

    assert not any(isinstance(answer, ModelError) for answer in answers)
    # The wait is the endpoint's doing, and longer than a request's own time.
    assert time.perf_counter() - started >= 1
    assert server.count == 4


def test_a_wish_of_one_request_alone_counts_against_its_own_time() -> None:
    with always(Reply(status=409, headers={"Retry-After": "5"}, body=b"conflict")) as server:
        error = error_of(chat(server.url))

    assert str(error) == (
        f'HTTP 409 from {server.url}: "conflict"; the next attempt may start in 5 s, '
        "only 2 s are left of timeout_s 2"
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>hi</html>", 'the body is not JSON: "<html>hi</html>"'),
        (b"", "the body is empty"),
        (b"null", 'the body is not a JSON object: "null"'),
        (b"[1, 2]", 'the body is not a JSON object: "[1, 2]"'),
        (
            b'{"error": {"message": "overloaded"}}',
            'the body is an error: "{\\"message\\": \\"overloaded\\"}"',
        ),
        (b'{"choices": []}', 'the body has no choices: "{\\"choices\\": []}"'),
        (b'{"choices": nul', 'the body is not JSON: "{\\"choices\\": nul"'),
        ("d\u00e9j\u00e0 vu".encode("latin-1"), 'the body is not UTF-8: "d\u00e9j\u00e0 vu"'),
        (b"\x1b[31m::error::" + b"x" * 300, 'the body is not JSON: "\\\\x1b[31m::error::' + "x" * 186 + '"…'),
        (b"[" * 100_000, 'the body is not JSON: "' + "[" * 200 + '"…'),
    ],
)
def test_what_is_no_answer_is_a_protocol_error_retried_once(body: bytes, said: str) -> None:
    with always(Reply(body=body)) as server:
        error = error_of(chat(server.url))

    assert str(error) == f"{server.url} sent no chat completion: {said} (2 attempts)"
    assert (error.kind, server.count) == ("protocol", 2)


def test_no_content_is_a_protocol_error() -> None:
    with always(Reply(status=204, body=b"")) as server:
        error = error_of(chat(server.url))

    assert str(error) == f"{server.url} sent no chat completion: the body is empty (2 attempts)"


def test_a_gzip_bomb_is_cut_off() -> None:
    bomb = Reply(body=b"0" * 50_000_000, gzip=True)

    with always(bomb) as server:
        error = error_of(chat(server.url))

    assert str(error) == f"the answer is longer than 8,000,000 bytes, from {server.url}"
    assert (error.kind, server.count) == ("too_large", 1)


def test_a_compressed_answer_is_read() -> None:
    with always(Reply(text="Paris", gzip=True)) as server:
        assert answer_of(chat(server.url)).text == "Paris"


def test_a_redirect_is_not_followed_and_its_target_named() -> None:
    headers = {"Location": f"https://user:{KEY}@elsewhere.example/v1?key={KEY}"}

    with always(Reply(status=307, headers=headers, body=b"")) as server:
        error = error_of(chat(server.url))

    assert str(error) == (
        f'HTTP 307 from {server.url}: redirected to "https://elsewhere.example/v1"; '
        "redirects are not followed, base_url must name the final address"
    )
    assert server.count == 1


@pytest.mark.parametrize(
    ("drop", "name"),
    [
        ("before headers", "ServerDisconnectedError: Server disconnected"),
        ("in the body", "ClientPayloadError: Response payload is not completed"),
    ],
)
def test_a_dropped_connection_is_retried_and_then_the_trials_error(drop: str, name: str) -> None:
    with always(Reply(text="x", drop=drop)) as server:  # type: ignore[arg-type] # parametrized
        error = error_of(chat(server.url))

    assert type(error) is ModelError
    assert str(error).startswith(name)
    assert str(error).endswith(f", from {server.url} (6 attempts)")
    assert (error.kind, server.count) == ("connection", 6)


def test_a_host_that_nobody_listens_at_is_fatal_after_three_attempts() -> None:
    url = nobody_listens()
    started = time.perf_counter()

    error = error_of(chat(url, retry=RetryPolicy()))

    assert type(error) is FatalModelError
    assert str(error) == f"{url} can't be reached: Connection refused (3 attempts)"
    assert time.perf_counter() - started < 30  # the budget for outages is 15 minutes


def test_a_host_that_does_not_exist_is_fatal() -> None:
    error = error_of(chat("http://llm.invalid/v1"))

    assert type(error) is FatalModelError
    assert str(error).startswith("http://llm.invalid/v1 can't be reached: ")
    assert error.kind == "connection"


def test_a_server_without_tls_is_named_as_unreachable() -> None:
    with ChatServer() as server:
        url = server.url.replace("http://", "https://")
        error = error_of(chat(url))

    assert type(error) is FatalModelError
    assert str(error).startswith(f"{url} can't be reached: SSLError: [SSL")


def test_a_proxy_that_is_in_the_way_is_named() -> None:
    proxy = Proxy(variable="HTTP_PROXY", url=nobody_listens().removesuffix("/v1"))

    error = error_of(chat("http://llm.example/v1", proxy=proxy))

    assert str(error) == (
        "http://llm.example/v1 can't be reached through the proxy that HTTP_PROXY names: "
        "Connection refused (3 attempts)"
    )


def test_a_proxy_is_used() -> None:
    with ChatServer(lambda _: "Paris") as proxy_server:
        proxy = Proxy(variable="HTTP_PROXY", url=proxy_server.url.removesuffix("/v1"))
        answer = answer_of(chat("http://llm.example/v1", proxy=proxy))

    assert answer.text == "Paris"
    assert proxy_server.requests[0].headers["host"] == "llm.example"


def test_a_host_that_goes_away_later_is_waited_for_and_then_ends_the_run() -> None:
    async def ask_before_and_after() -> tuple[str, list[ModelError]]:
        with ChatServer() as server:
            model = chat(server.url, retry=replace(QUICK, retry_budget_s=0.3))
            await model.complete(request())
        asked = [model.complete(one) for one in requests(20)]
        errors = await asyncio.gather(*asked, return_exceptions=True)
        await model.aclose()
        return server.url, [error for error in errors if isinstance(error, ModelError)]

    url, errors = asyncio.run(ask_before_and_after())

    assert {str(error) for error in errors} == {
        f"{url} can't be reached: Connection refused; {url} has let nothing through for so long that "
        "retry_budget_s 0.3 is used up. Answers received are kept: the same command goes on from there"
    }
    assert [type(error) for error in errors] == [FatalModelError] * 20
    assert {error.kind for error in errors} == {"outage"}


def test_a_server_that_hangs_is_a_timeout() -> None:
    with always(Reply(text="x", latency_s=30)) as server:
        error = error_of(chat(server.url, retry=replace(QUICK, timeout_s=0.2)))

    assert str(error) == f"no answer from {server.url} within timeout_s 0.2"
    assert error.kind == "timeout"


def test_a_timeout_says_what_went_wrong_before() -> None:
    script = [Reply(status=500, body=b"oops"), Reply(text="x", latency_s=30)]

    with ChatServer(script=script) as server:
        error = error_of(chat(server.url, retry=replace(QUICK, timeout_s=0.3)))

    assert str(error) == (
        f'no answer from {server.url} within timeout_s 0.3; before that: HTTP 500 from {server.url}: "oops"'
    )
