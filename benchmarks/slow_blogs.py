"""A thousand blogs on loopback, each a second away: what benchmarks/poll.py polls.

Started as a process of its own; says its port on standard output, and for each line it reads how
many requests it had in hand at the most.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

CERTIFICATES = Path(__file__).resolve().parents[1] / "tests" / "certificates"
SENTENCE = "L’accordo firmato dalla rappresentanza sindacale prevede più ore di lavoro agile. "


def changed_feed(number: int) -> bytes:
    posts = "".join(
        f"<item><title>Notizia {post} del blog {number}</title>"
        f"<link>https://b{number}.blog.example/{post}/</link>"
        f"<guid isPermaLink='false'>https://b{number}.blog.example/?p={post}</guid>"
        f"<pubDate>Mon, 13 Jul 2026 07:30:12 +0000</pubDate><content:encoded><![CDATA["
        f"{f'<p>{SENTENCE * 4}</p>' * 10}]]></content:encoded></item>"
        for post in range(10)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>Blog {number}</title><link>https://b{number}.blog.example/</link>"
        f"<language>it-IT</language>{posts}</channel></rss>"
    ).encode()


class Blogs:
    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.in_hand = self.most = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        await asyncio.sleep(self.latency)
        self.in_hand -= 1
        number = int(request.partition("/")[2].partition("/")[0])
        if "if-none-match" in request.lower() and number % 10:
            writer.write(b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n')
        else:
            body = changed_feed(number)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n")
            writer.write(f'ETag: "2"\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body)
        await writer.drain()
        writer.close()

    async def serve(self) -> None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(CERTIFICATES / "good.pem", CERTIFICATES / "server.key")
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0, ssl=tls, backlog=512)
        async with server:
            print(server.sockets[0].getsockname()[1], flush=True)
            loop = asyncio.get_running_loop()
            while await loop.run_in_executor(None, sys.stdin.readline):
                print(self.most, flush=True)


if __name__ == "__main__":
    asyncio.run(Blogs(float(sys.argv[1])).serve())
