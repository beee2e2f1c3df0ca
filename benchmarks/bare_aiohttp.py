"""The least that Python can do: aiohttp, a semaphore, and the JSON of each answer."""

from __future__ import annotations

import asyncio
import sys

import aiohttp


async def main(url: str, cases: int, in_flight: int) -> None:
    room = asyncio.Semaphore(in_flight)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as session:

        async def ask(model: str, number: int) -> str:
            body = {"model": model, "messages": [{"role": "user", "content": f"Say {number}"}]}
            async with room, session.post(f"{url}/chat/completions", json=body) as response:
                answer = await response.json()
                return str(answer["choices"][0]["message"]["content"])

        jobs = [ask(model, number) for number in range(cases) for model in ("tuned", "base")]
        answers = await asyncio.gather(*jobs)
    assert len([answer for answer in answers if answer]) == 2 * cases


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
