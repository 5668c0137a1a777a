"""The RSS that WordPress prints for a blog or for one of its categories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from demo.blogs import Blog, Post
from demo.writing import excerpt, fill_in, paragraphs, texturise

FOOTERS = {
    "articolo": "L’articolo {post} proviene da {blog}.",
    "primo": "L’articolo {post} sembra essere il primo su {blog}.",
    "first": "The post {post} first appeared on {blog}.",
    "appeared": "The post {post} appeared first on {blog}.",
}

_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
\txmlns:content="http://purl.org/rss/1.0/modules/content/"
\txmlns:wfw="http://wellformedweb.org/CommentAPI/"
\txmlns:dc="http://purl.org/dc/elements/1.1/"
\txmlns:atom="http://www.w3.org/2005/Atom"
\txmlns:sy="http://purl.org/rss/1.0/modules/syndication/"
\txmlns:slash="http://purl.org/rss/1.0/modules/slash/"
>

<channel>
\t<title>{title}</title>
\t<atom:link href="{self_url}" rel="self" type="application/rss+xml" />
\t<link>{blog_url}</link>
\t<description>{tagline}</description>
\t<lastBuildDate>{built}</lastBuildDate>
\t<language>{language}</language>
\t<sy:updatePeriod>
\thourly\t</sy:updatePeriod>
\t<sy:updateFrequency>
\t1\t</sy:updateFrequency>
\t<generator>https://wordpress.org/?v=6.8.2</generator>
"""


def post_path(post: Post, base: datetime) -> str:
    """Where the post's page is, below the blog's address: `/2025/08/13/slug/`."""
    return f"/{base - post.age:%Y/%m/%d}/{post.slug}/"


def post_link(post: Post, base: datetime, blog_url: str) -> str:
    link = blog_url + post_path(post, base)
    if "utm-link" in post.traits:
        link += f"?utm_source=rss&utm_medium=rss&utm_campaign={post.slug}"
    return link


def post_html(post: Post, base: datetime, blog_url: str, *, edited: bool) -> str:
    """The text of the post, in its edited form when it has one and `edited` is true."""
    text = post.edited_body if edited and post.edited_body else post.body
    return paragraphs(fill_in(text, base, post.blog.language, blog_url))


def footer_html(post: Post, base: datetime, blog_url: str) -> str:
    """The line with a link to the post and one to the blog; empty for a blog that adds none."""
    if post.footer == "none":
        return ""
    link = escape(post_link(post, base, blog_url))
    line = FOOTERS[post.footer].format(
        post=f'<a href="{link}">{escape(post.title, quote=False)}</a>',
        blog=f'<a href="{blog_url}">{post.blog.name}</a>',
    )
    return f"\n<p>{line}</p>"


def render_feed(
    blog: Blog,
    posts: Sequence[Post],
    *,
    base: datetime,
    blog_url: str,
    self_url: str,
    built: datetime,
    edited: bool,
    category: str = "",
) -> bytes:
    """The feed as bytes; the same arguments always give the same bytes."""
    head = _HEAD.format(
        title=escape(f"{category} Archivi – {blog.name}" if category else blog.name, quote=False),
        self_url=escape(self_url),
        blog_url=escape(blog_url),
        tagline=escape(blog.tagline, quote=False),
        built=_rfc822(built),
        language=blog.language,
    )
    items = "".join(_item(post, base, blog_url, edited=edited) for post in posts)
    return f"{head}{items}</channel>\n</rss>\n".encode()


def _item(post: Post, base: datetime, blog_url: str, *, edited: bool) -> str:
    title = escape(post.title, quote=False)
    body = post_html(post, base, blog_url, edited=edited)
    footer = footer_html(post, base, blog_url)
    summary = f"<p>{excerpt(body)}</p>{footer}"
    content = f"{body}{footer}"
    if post.blog.texturised:
        title, summary, content = texturise(title), texturise(summary), texturise(content)
    link = escape(post_link(post, base, blog_url))
    plain_link = link.partition("?")[0]
    lines = [
        "<item>",
        f"<title>{title}</title>",
        f"<link>{link}</link>",
        f"<comments>{plain_link}#respond</comments>",
        f"<dc:creator>{_cdata(post.author)}</dc:creator>",
        *([] if "undated" in post.traits else [f"<pubDate>{_rfc822(base - post.age)}</pubDate>"]),
        *(f"<category>{_cdata(name)}</category>" for name in post.categories),
        f'<guid isPermaLink="false">{post.guid}</guid>',
        f"<description>{_cdata(summary)}</description>",
        f"<content:encoded>{_cdata(content)}</content:encoded>",
        f"<wfw:commentRss>{plain_link}feed/</wfw:commentRss>",
        "<slash:comments>0</slash:comments>",
    ]
    return "\n\t\t".join(lines) + "\n\t</item>\n\t"


def _cdata(text: str) -> str:
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC))
