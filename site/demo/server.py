"""Serves the demo's blogs on loopback: feeds, category feeds, post pages and images.

    python -m demo.server --port 8011 --base 2026-01-31T08:00:00+00:00

The same base moment always gives the same dates, so a restarted demo finds its posts again.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from demo.blogs import BLOGS, IMAGES_DIR, Blog, Post, category_slug, read_posts
from demo.feeds import post_path, render_feed
from demo.loopback import LoopbackHTTPServer, OnLoopback, told_to_stop
from demo.pages import home_page, missing_page, post_page

UPLOADS = "/wp-content/uploads/"
# The category feeds a demo follows beside the main one, whose posts they repeat.
FOLLOWED_CATEGORIES = ("Contratti", "Salute e sicurezza")


class DemoFeed(NamedTuple):
    name: str
    url: str
    language: str
    own: bool
    """The group's own blog, whose posts can be trusted without a look."""


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes
    modified: datetime | None = None

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'


class DemoServer(OnLoopback):
    """A context manager; while it is open, `url` and `feeds` say what can be fetched.

    `public_base` replaces the server's own address in every link: one address for all blogs (their
    prefixes are added), or a mapping from a blog's key to its whole address. The post that changes
    does so `edit_after` the base moment, or at once when `edit()` is called.
    """

    thread_name = "demo-feeds"

    def __init__(
        self,
        base: datetime,
        port: int = 0,
        public_base: str | Mapping[str, str] | None = None,
        *,
        edit_after: timedelta = timedelta(minutes=10),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        verbose: bool = False,
    ) -> None:
        if base.tzinfo is None:
            raise ValueError(
                "The base moment needs a time zone, for example 2026-01-31T08:00:00+00:00"
            )
        super().__init__(port)
        self.base = base.astimezone(UTC).replace(microsecond=0)
        self.clock = clock
        self.verbose = verbose
        self.posts = read_posts()
        self._edited_from = self.base + edit_after
        self._public_base = public_base

    def listen(self, address: tuple[str, int]) -> _HTTPServer:
        return _HTTPServer(address, self)

    @property
    def feeds(self) -> list[DemoFeed]:
        """What a demo subscribes to, the main feed first."""
        main, rete, notes = BLOGS["meridiana"], BLOGS["rete"], BLOGS["notes"]
        return [
            DemoFeed(main.name, f"{self.url}/feed/", main.language, main.own),
            *(
                DemoFeed(
                    f"{name} – {main.name}",
                    f"{self.url}/category/{category_slug(name)}/feed/",
                    main.language,
                    main.own,
                )
                for name in FOLLOWED_CATEGORIES
            ),
            DemoFeed(rete.name, f"{self.url}{rete.prefix}/feed/", rete.language, rete.own),
            DemoFeed(notes.name, f"{self.url}{notes.prefix}/feed/", notes.language, notes.own),
        ]

    def edit(self) -> None:
        """From now on the post that changes is served in its edited form."""
        self._edited_from = min(self._edited_from, self.clock())

    def blog_url(self, blog: Blog) -> str:
        """The address the blog's links are made of."""
        if isinstance(self._public_base, Mapping):
            return self._public_base.get(blog.key, self.url + blog.prefix).rstrip("/")
        return (self._public_base or self.url).rstrip("/") + blog.prefix

    def answer(self, target: str) -> Answer:
        """What a GET of this path and query gives now."""
        now = self.clock()
        parts = urlsplit(target)
        blog = next(
            (
                blog
                for blog in BLOGS.values()
                if blog.prefix and f"{parts.path}/".startswith(f"{blog.prefix}/")
            ),
            BLOGS["meridiana"],
        )
        path = parts.path.removeprefix(blog.prefix)
        posts = [post for post in self.posts if post.blog is blog and self.base - post.age <= now]
        if path.startswith(UPLOADS):
            return self._image(blog, path.removeprefix(UPLOADS))
        if path in {"", "/"}:
            return _page(home_page(blog, posts, base=self.base, blog_url=self.blog_url(blog)))
        if path.rstrip("/").endswith("/feed"):
            only_page = parse_qs(parts.query).get("paged", ["1"]) == ["1"]
            return self._feed(blog, path.rstrip("/"), posts if only_page else [], now)
        for post in posts:
            if path.rstrip("/") == post_path(post, self.base).rstrip("/"):
                edited = self._edited_from <= now
                return _page(
                    post_page(post, base=self.base, blog_url=self.blog_url(blog), edited=edited)
                )
        return self._missing(blog)

    def _feed(self, blog: Blog, path: str, posts: Sequence[Post], now: datetime) -> Answer:
        category = ""
        if path != "/feed":
            slug = path.removeprefix("/category/").removesuffix("/feed")
            names = {category_slug(name): name for post in posts for name in post.categories}
            category = names.get(slug, "")
            posts = [post for post in posts if category in post.categories]
        if not posts:
            return self._missing(blog)
        edited = self._edited_from <= now
        built = max(self.base - post.age for post in posts)
        if edited and any(post.edited_body for post in posts):
            built = max(built, self._edited_from)
        blog_url = self.blog_url(blog)
        body = render_feed(
            blog,
            posts,
            base=self.base,
            blog_url=blog_url,
            self_url=f"{blog_url}{path}/",
            built=built,
            edited=edited,
            category=category,
        )
        return Answer(200, "application/rss+xml; charset=UTF-8", body, modified=built)

    def _image(self, blog: Blog, name: str) -> Answer:
        # Only names that lie in the folder: the path of a request never becomes a path on the disk.
        found = {path.name: path for path in IMAGES_DIR.glob("*.png")}.get(name)
        if found is None:
            return self._missing(blog)
        return Answer(200, "image/png", found.read_bytes(), modified=self.base - timedelta(days=60))

    def _missing(self, blog: Blog) -> Answer:
        return Answer(404, "text/html; charset=UTF-8", missing_page(blog, self.blog_url(blog)))


def _page(body: bytes) -> Answer:
    return Answer(200, "text/html; charset=UTF-8", body)


class _HTTPServer(LoopbackHTTPServer):
    # Threads are joined when the server closes, so that no socket outlives it.
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], demo: DemoServer) -> None:
        self.demo = demo
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A reader that hangs up early is no news.
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _HTTPServer
    protocol_version = "HTTP/1.1"
    server_version = "DemoFeeds"
    sys_version = ""
    timeout = 5

    def do_GET(self) -> None:
        self._respond(with_body=True)

    def do_HEAD(self) -> None:
        self._respond(with_body=False)

    def _respond(self, *, with_body: bool) -> None:
        answer = self.server.demo.answer(self.path)
        modified = format_datetime(answer.modified, usegmt=True) if answer.modified else ""
        # WordPress lets one matching header alone suffice; asking for both is what a reader has to
        # satisfy once a proxy has touched the ETag.
        unchanged = (
            answer.modified is not None
            and self.headers.get("If-None-Match") == answer.etag
            and self.headers.get("If-Modified-Since") == modified
        )
        self.send_response(304 if unchanged else answer.status)
        if modified:
            self.send_header("ETag", answer.etag)
            self.send_header("Last-Modified", modified)
        if not unchanged:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if with_body and not unchanged:
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        if self.server.demo.verbose:
            super().log_message(format, *args)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m demo.server", description="Serve the demo's feeds on loopback."
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port (default)")
    parser.add_argument(
        "--base", type=datetime.fromisoformat, help="the moment the posts' dates count from"
    )
    parser.add_argument("--public-base", help="address to use in links (default: the server's own)")
    parser.add_argument(
        "--edit-after", type=float, default=10, metavar="MINUTES", help="when one post changes"
    )
    parser.add_argument("--verbose", action="store_true", help="print each request")
    options = parser.parse_args(arguments)
    base = options.base or datetime.now(UTC)
    server = DemoServer(
        base if base.tzinfo else base.replace(tzinfo=UTC),
        options.port,
        options.public_base,
        edit_after=timedelta(minutes=options.edit_after),
        verbose=options.verbose,
    )
    stopped = told_to_stop()
    try:
        server.start()
    except OSError as error:
        sys.stderr.write(
            f"Port {options.port} can't be used for the demo feeds ({error.strerror}): "
            "choose another.\n"
        )
        return 1
    sys.stdout.write(f"{server.url}/\n")
    sys.stdout.flush()
    stopped.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
