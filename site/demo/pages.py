"""The blogs' web pages, so that "read at the source" leads somewhere in a demo."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from demo.blogs import Blog, Post
from demo.feeds import footer_html, post_html, post_link
from demo.writing import long_date

_PAGE = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="alternate" type="application/rss+xml" title="{blog}" href="{blog_url}/feed/">
{canonical}<style>
:root {{ color-scheme: light dark;
  --ink: #1B1A17; --paper: #FAF6EE; --red: #B21F1F; --muted: #5C564C; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #EFE9DC; --paper: #16140F; --red: #FF8A7A; --muted: #B9B09F; }}
}}
body {{ margin: 0 auto; max-width: 42rem; padding: 1.25rem;
  background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 Georgia, serif; overflow-wrap: anywhere; }}
header {{ border-bottom: 4px solid; margin-bottom: 1.5rem; padding-bottom: .75rem; }}
header a {{ color: inherit; font-size: 1.4rem; font-weight: bold; text-decoration: none; }}
h1 {{ line-height: 1.2; }} h2, h3 {{ line-height: 1.3; }} a {{ color: var(--red); }}
small, figcaption {{ color: var(--muted); }} figure {{ margin: 1.5rem 0; }}
img {{ height: auto; max-width: 100%; }}
table {{ border-collapse: collapse; width: 100%; }}
td, th {{ border-bottom: 1px solid; padding: .35rem .5rem .35rem 0; text-align: left; }}
blockquote {{ border-left: 4px solid var(--red); margin-inline: 0; padding-left: 1rem; }}
ol.posts {{ list-style: none; padding: 0; }} ol.posts li {{ margin-bottom: .9rem; }}
</style>
</head>
<body>
<header><a href="{blog_url}/">{blog}</a><br><small>{tagline}</small></header>
<main>
{main}
</main>
</body>
</html>
"""


def post_page(post: Post, *, base: datetime, blog_url: str, edited: bool) -> bytes:
    text = post_html(post, base, blog_url, edited=edited) + footer_html(post, base, blog_url)
    main = (
        f"<article>\n<h1>{escape(post.title)}</h1>\n"
        f"<p><small>{_dated(post, base)}</small></p>\n{text}\n</article>"
    )
    link = escape(post_link(post, base, blog_url)).partition("?")[0]
    return _page(
        post.blog, blog_url, post.title, main, canonical=f'<link rel="canonical" href="{link}">\n'
    )


def home_page(blog: Blog, posts: Sequence[Post], *, base: datetime, blog_url: str) -> bytes:
    rows = "\n".join(
        f'<li><a href="{escape(post_link(post, base, blog_url))}">{escape(post.title)}</a><br>'
        f"<small>{_dated(post, base)}</small></li>"
        for post in posts
    )
    return _page(blog, blog_url, blog.name, f'<ol class="posts">\n{rows}\n</ol>')


def missing_page(blog: Blog, blog_url: str) -> bytes:
    words = "Pagina non trovata" if blog.language.startswith("it") else "Page not found"
    return _page(blog, blog_url, words, f"<h1>{words}</h1>")


def _page(blog: Blog, blog_url: str, title: str, main: str, *, canonical: str = "") -> bytes:
    return _PAGE.format(
        language=blog.language,
        title=escape(title),
        blog=escape(blog.name),
        tagline=escape(blog.tagline),
        blog_url=blog_url,
        canonical=canonical,
        main=main,
    ).encode()


def _dated(post: Post, base: datetime) -> str:
    if "undated" in post.traits:
        return escape(post.author)
    return f"{long_date(base - post.age, post.blog.language)} · {escape(post.author)}"
