"""Answers what no route answers: malformed requests, lost connections and faults."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.faults import log_fault

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def refuse_malformed(request: web.BaseRequest, handler: Handler) -> web.StreamResponse:
    """Refuse a request whose address or headers hold bytes that are no text, with 400."""
    if not all(map(_is_text, (request.raw_path, *request.headers.values()))):
        raise web.HTTPBadRequest(text="The address or a header holds bytes that are no text.\n")
    return await handler(request)


def _is_text(value: str) -> bool:
    """Return whether bytes were UTF-8; those that were not are lone surrogates."""
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


async def answer_faults(request: web.BaseRequest, handler: Handler) -> web.StreamResponse:
    """Answer an error that a handler raises: with 500 and the code that is in the log.

    A body that breaks off or cannot be decoded is no fault of ours: 400, and no line in the log.
    """
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except (ConnectionError, web.RequestPayloadError):
        broken = web.Response(status=400, text="The request broke off or cannot be decoded.\n")
        broken.force_close()
        return broken
    except Exception as error:  # whatever it is, its text stays out of answer and log
        code = log_fault(error)
    if request.writer.output_size and request.transport:
        request.transport.close()  # a part was sent already; closing says that the rest is missing
    return web.Response(status=500, text=f"Something went wrong on our side. Code: {code}\n")
