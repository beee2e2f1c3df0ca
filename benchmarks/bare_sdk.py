"""The bare script that an engineer would write: the openai SDK with its default backend, and a semaphore."""

from __future__ import annotations

import asyncio
import sys

from openai import AsyncOpenAI


async def main(url: str, cases: int, in_flight: int) -> None:
    client = AsyncOpenAI(base_url=url, api_key="none")
    room = asyncio.Semaphore(in_flight)

    async def ask(model: str, number: int) -> str | None:
        async with room:
            answer = await client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": f"Say {number}"}]
            )
            return answer.choices[0].message.content

    jobs = [ask(model, number) for number in range(cases) for model in ("tuned", "base")]
    answers = await asyncio.gather(*jobs)
    assert len([answer for answer in answers if answer]) == 2 * cases
    await client.close()


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
