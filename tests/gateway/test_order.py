from __future__ import annotations

import asyncio

from bot.gateway.order import Order


async def test_turns_of_one_conversation_run_in_order_of_arrival():
    order, done = Order(), []
    places = [order.join("a") for _ in range(5)]

    async def turn(number: int) -> None:
        async with places[number] as place:
            await place.reached()
            await asyncio.sleep(0)
            done.append(number)

    await asyncio.gather(*(turn(number) for number in (3, 1, 4, 0, 2)))
    assert done == [0, 1, 2, 3, 4]


async def test_conversations_do_not_wait_for_each_other():
    order = Order()
    async with order.join("a") as first, order.join("b") as other:
        await first.reached()
        await asyncio.wait_for(other.reached(), 1)


async def test_who_gives_up_lets_nobody_overtake():
    order, done = Order(), []
    first, second, third = (order.join("a") for _ in range(3))

    async def last() -> None:
        async with third:
            await third.reached()
            done.append("third")

    async with first:
        await first.reached()
        async with second:
            pass  # leaves without waiting
        waiting = asyncio.create_task(last())
        for _ in range(5):
            await asyncio.sleep(0)
        assert done == []
    await asyncio.wait_for(waiting, 1)
    assert done == ["third"]


async def test_an_error_in_a_turn_lets_the_next_one_go_on():
    order = Order()
    first, second = order.join("a"), order.join("a")
    try:
        async with first:
            await first.reached()
            raise ValueError
    except ValueError:
        pass
    async with second:
        await asyncio.wait_for(second.reached(), 1)


async def test_nothing_is_remembered_of_conversations_that_are_over():
    order = Order()
    async with order.join("a") as place:
        await place.reached()
    assert order._last == {}
