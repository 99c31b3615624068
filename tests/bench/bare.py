"""The least a Slack app can be: Bolt's own server, and one command that answers «hello»."""

import sys

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


def main(port: int, api_url: str, token: str, secret: str, early: str) -> None:
    """Serve until killed; `before` waits for the listener before it responds."""
    app = AsyncApp(
        client=AsyncWebClient(token, base_url=api_url),
        signing_secret=secret,
        process_before_response=early == "before",
    )

    @app.command("/wwc")
    async def hello(ack: AsyncAck) -> None:
        await ack("hello")

    app.server(port=port, path="/slack/events", host="127.0.0.1").start()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:6])
