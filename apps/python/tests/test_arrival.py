from __future__ import annotations

import pytest

from qr.arrival import CHUNKED_LIMIT, HEAD_LIMIT, Arrival, TooLarge

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def bytes_needed(request: bytes) -> int:
    """How many bytes, one at a time, until the request is complete."""
    arrival = Arrival()
    for count in range(1, len(request) + 1):
        if arrival.feed(request[count - 1 : count]):
            return count
    return -1


@pytest.mark.parametrize(
    "request_",
    [
        GET,
        b"\r\n" + GET,
        POST + b"Content-Length: 5\r\n\r\nhello",
        POST + b"content-length:5 \r\n\r\nhello",
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
        POST + b"Transfer-Encoding: identity\r\n\r\n",
        CHUNKED + b"?\r\n",
    ],
)
def test_a_request_is_complete_at_its_last_byte_and_not_before(request_: bytes) -> None:
    assert bytes_needed(request_) == len(request_)


def test_bytes_of_the_next_request_stay() -> None:
    arrival = Arrival()
    assert arrival.feed(GET + GET[:5])
    assert arrival.data == GET + GET[:5]


def test_a_body_that_is_announced_as_too_large_is_not_waited_for() -> None:
    assert Arrival().feed(POST + b"Content-Length: 65537\r\n\r\n")
    assert not Arrival().feed(POST + b"Content-Length: 65536\r\n\r\n")


def test_chunks_are_waited_for_until_they_are_too_large() -> None:
    arrival = Arrival()
    assert not arrival.feed(CHUNKED + b"8000\r\n" + b"x" * 0x8000 + b"\r\nFFFFFF\r\n" + b"x" * 0x8000)
    assert arrival.feed(b"x")


def test_an_expectation_is_met_and_taken_out() -> None:
    arrival = Arrival()
    assert not arrival.feed(POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert arrival.awaits_continue
    assert arrival.feed(b"hi")
    assert arrival.data == POST + b"Content-Length: 2\r\n\r\nhi"


def test_a_body_that_will_be_refused_is_not_asked_for() -> None:
    arrival = Arrival()
    assert arrival.feed(POST + b"Content-Length: 65537\r\nExpect: 100-continue\r\n\r\n")
    assert not arrival.awaits_continue


def test_a_head_without_an_end_is_given_up() -> None:
    with pytest.raises(TooLarge):
        Arrival().feed(b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD_LIMIT)


def test_chunks_that_are_mostly_frame_are_given_up() -> None:
    with pytest.raises(TooLarge):
        Arrival().feed(CHUNKED + b"1\r\nx\r\n" * (CHUNKED_LIMIT // 6 + 1))
