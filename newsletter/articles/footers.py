"""The line that blogs put under each post of their feed: "The post X appeared first on Y"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml.html import HtmlElement

from newsletter.articles.canonical_url import canonical_url, is_front_page, server_of
from newsletter.articles.markup import whole_text

# How WordPress and its plugins say it, in the languages of their translations.
_APPEARED = (
    # English
    r"(?:first\s+)?appeared\s+(?:first\s+)?(?:on|in|at)|(?:was|is)\s+(?:first|originally)\s+published\s+(?:on|in|at)|"
    r"(?:was\s+)?originally\s+(?:appeared|published|posted)\s+(?:on|in|at)|(?:was\s+)?first\s+published\s+(?:on|in|at)|"
    # Italian
    r"proviene\s+da(?:l(?:la|lo)?)?|sembra\s+essere\s+il\s+primo\s+su|"
    r"(?:è|e['’])\s+(?:apparso|uscito|stato\s+pubblicato)\s+(?:per\s+la\s+prima\s+volta|per\s+primo|"
    r"originariamente|originalmente|prima|dapprima|inizialmente)\s+(?:su|in|da)(?:l(?:la|lo)?)?|"
    r"(?:appare|compare)\s+(?:per\s+)?prim[ao]\s+su|"
    # German
    r"erschien\s+(?:zuerst|zunächst|als\s+erstes)\s+(?:auf|bei|in)|"
    r"ist\s+(?:zuerst|erstmals)\s+(?:auf|bei)|ist\s+zuerst\s+erschienen\s+(?:auf|bei)|"
    r"wurde\s+(?:zuerst|erstmals)\s+(?:veröffentlicht\s+)?(?:auf|bei)|"
    # French
    r"est\s+apparue?\s+en\s+premier\s+(?:sur|dans)|est\s+apparue?\s+d['’]abord\s+sur|"
    r"a\s+été\s+publiée?\s+(?:en\s+premier|initialement|d['’]abord)\s+sur|provient\s+de|"
    # Spanish
    r"(?:se\s+publicó|apareció|aparece|ha\s+aparecido|fue\s+publicad[oa])\s+(?:primero|originalmente|"
    r"por\s+primera\s+vez)\s+en|"
    # Portuguese
    r"(?:apareceu|aparece|foi\s+publicad[oa])\s+(?:primeiro|originalmente|pela\s+primeira\s+vez)\s+(?:em|n[oa])|"
    # Dutch
    r"verscheen\s+(?:eerst|als\s+eerste?|het\s+eerst)\s+op|is\s+(?:eerst|als\s+eerste)\s+verschenen\s+op|"
    # Polish
    r"pochodzi\s+z(?:e)?(?:\s+serwisu)?|pojawił\s+się\s+(?:po\s?raz\s+pierwszy|najpierw)\s+(?:w|na)|"
    # Catalan, Galician
    r"(?:ha\s+aparegut|apareix|va\s+aparèixer|es\s+va\s+publicar)\s+(?:primer|per\s+primera\s+vegada)\s+(?:a|en)|"
    r"publicouse\s+primeiro\s+en|apareceu\s+primeiro\s+en|"
    # Swedish, Norwegian, Danish
    r"dök\s+först\s+upp\s+(?:på|i)|publicerades\s+först\s+(?:på|av)|dukket\s+først\s+opp\s+på|"
    r"(?:blev\s+)?(?:først\s+(?:udgivet|vist)|udkom\s+først|dukkede\s+først\s+op)\s+på|ble\s+først\s+publisert\s+på|"
    # Romanian, Czech, Slovak, Croatian, Finnish, Greek, Russian, Ukrainian
    r"apare\s+(?:prima\s+dată|mai\s+întâi)\s+(?:în|pe)|a\s+apărut\s+(?:prima\s+dată|mai\s+întâi)\s+(?:în|pe)|"
    r"se\s+nejdříve\s+objevil\s+na|pochází\s+z|se\s+(?:najprv|prvýkrát)\s+(?:zjavil|objavil)\s+na|"
    r"se\s+(?:pojavi[ol]|pojavljuje)\s+prvi\s+puta?\s+na|julkaistiin\s+ensimmäisen\s+kerran|ilmestyi\s+ensin|"
    r"εμφανίστηκε\s+πρώτα\s+στ[οη]|впервые\s+появил[аои]с[ьяй]|появил[аои]с[ьяй]\s+(?:сначала|впервые)\s+(?:на|в)|"
    r"з['’]явила?ся\s+спочатку\s+на"
)
_INTRODUCES = (
    r"(?:the|this)\s+(?:post|article|entry|story|piece|content)|l['’]articolo|quest['’]articolo|questo\s+(?:articolo|post)|"
    r"il\s+post|il\s+contenuto|der\s+(?:beitrag|artikel)|dieser\s+(?:beitrag|artikel)|l['’]article|cet\s+article|"
    r"le\s+(?:billet|post)|la\s+entrada|el\s+(?:art[ií]culo|post)|l['’](?:entrada|article)|o\s+(?:post|artigo|conteúdo)|"
    r"a\s+(?:entrada|postagem|matéria)|het\s+(?:bericht|artikel)|artykuł|wpis|post|inlägget|innlegget|indlægget|"
    r"articolul|příspěvek|príspevok|objava|članak|artikkeli|το\s+άρθρο|запись|сообщение|стаття|запис"
)
_FOOTER_TEXT = re.compile(
    rf"(?:^|(?<=[\s.!?…\])»”\"]))(?:{_INTRODUCES})\s+(?P<title>[“\"«]?.{{0,500}}?)\s*\b(?:{_APPEARED})\s+"
    r"(?P<site>(?:[^.\n]|\.(?=\S)){1,200}?)\s*\.*\s*$",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_FOOTER = 900  # only the end of a text is searched
_INTRODUCTION_AT_END = re.compile(rf"(?:{_INTRODUCES})\s*[“\"«]?\s*$", re.IGNORECASE)
_APPEARED_ANYWHERE = re.compile(_APPEARED, re.IGNORECASE)
_WRAPPERS = {"em", "i", "b", "strong", "small", "span", "font"}
_MOST_BLOCKS_BELOW = 3  # of those that say something else: "Share this", related posts


@dataclass(frozen=True)
class Post:
    """What a footer repeats of the post it stands under."""

    url: str
    site_url: str
    title: str = ""


def text_of(element: HtmlElement) -> str:
    return " ".join(whole_text(element).split())


def take_footer(blocks: list[HtmlElement], post: Post) -> tuple[str, str, list[HtmlElement]]:
    """(site's name, its address, blocks that are the footer), and cut a footer that ends a block.

    Two signs: the words, in any of the languages, about this very post or site; or the structure:
    the last block holds exactly two links, the post's own and the site's root.
    """
    for place, block in enumerate(reversed(blocks[-_MOST_BLOCKS_BELOW - 1 :])):
        links = [link for link in block.iter("a") if link.get("href")]
        if len(links) >= 2:
            own, site = links[-2], links[-1]
            href = site.get("href", "")
            if _is_structural(block, links, post, place) or _is_spoken(block, own, site, post):
                name = text_of(site)
                if _cut_before(block, own):
                    return name, href, []
                return name, href, [block]
        found = _FOOTER_TEXT.search(text_of(block)[-_LONGEST_FOOTER:])
        if found and _speaks_of(post, found["title"], found["site"]):
            href = links[-1].get("href", "") if links else post.site_url
            whole = len(found[0]) > 0.9 * len(text_of(block))
            if whole or _cut_text(block, links):
                return found["site"].strip(), href, [block] if whole else []
    return "", "", []


def _is_structural(block: HtmlElement, links: list[HtmlElement], post: Post, place: int) -> bool:
    own, href = links[-2].get("href", ""), links[-1].get("href", "")
    return (
        place < 2
        and len(links) == 2
        and canonical_url(own) == canonical_url(post.url)
        and (
            canonical_url(href) == canonical_url(post.site_url)
            or (server_of(href) == server_of(post.url) and is_front_page(href))
        )
        and len(text_of(block)) < 600
    )


def _is_spoken(block: HtmlElement, own: HtmlElement, site: HtmlElement, post: Post) -> bool:
    if not _APPEARED_ANYWHERE.search(own.tail or ""):
        return False
    if not _FOOTER_TEXT.search(text_of(block)[-_LONGEST_FOOTER:]):
        return False
    href = site.get("href", "")
    return (
        canonical_url(own.get("href", "")) == canonical_url(post.url)
        or canonical_url(href) == canonical_url(post.site_url)
        or is_front_page(href)
        or _speaks_of(post, text_of(own), text_of(site))
    )


def _speaks_of(post: Post, title: str, site: str) -> bool:
    """Whether a footer without telling links is about this post or its site.

    "L'articolo 18 proviene da una lunga storia" is no footer.
    """
    said, name = _letters(title), _letters(site)
    known = _letters(post.title)
    if known and said and (said in known or known in said) and len(said) * 2 >= len(known):
        return True
    host = _letters(server_of(post.site_url or post.url).partition("/")[0].rpartition(".")[0])
    if len(name) >= 4 and host and (name in host or host in name):
        return True
    return not known and not post.url


def _letters(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _cut_before(block: HtmlElement, own: HtmlElement) -> bool:
    """Remove the footer from a block that holds other text before it; False when it holds none."""
    wrapped = own.getparent() is not block
    while (outer := own.getparent()) is not block:
        # "Text. <em>The post <a>…</a> appeared first on <a>…</a></em>": from the <em> on.
        if outer.tag not in _WRAPPERS or not _introduces(outer.text or ""):
            return False
        own = outer
    previous = own.getprevious()
    lead = (previous.tail if previous is not None else block.text) or ""
    kept = lead[:-40] + _INTRODUCTION_AT_END.sub("", lead[-40:])
    # Up to three words before the first link introduce it, in whatever language.
    only_words = not kept.strip() or (not wrapped and kept == lead and len(kept.split()) <= 3)
    if previous is None and only_words:
        return False
    if previous is not None:
        previous.tail = kept
    else:
        block.text = kept
    for element in [own, *own.itersiblings()]:
        block.remove(element)
    return bool(text_of(block))


def _introduces(text: str) -> bool:
    return not text.strip() or bool(_INTRODUCTION_AT_END.search(text))


def _cut_text(block: HtmlElement, links: list[HtmlElement]) -> bool:
    """Cut a footer without a link to the post from the last text of `block`."""
    if links and links[-1].getparent() is block and links[-1] is block[-1]:
        last = links[-1].getprevious()
        text = (last.tail if last is not None else block.text) or ""
        found = _FOOTER_TEXT.search(f"{text[-_LONGEST_FOOTER:]}{text_of(links[-1])}")
        if found:
            block.remove(links[-1])
    else:
        last = block[-1] if len(block) else None
        text = (last.tail if last is not None else block.text) or ""
        found = _FOOTER_TEXT.search(text[-_LONGEST_FOOTER:])
    if not found:
        return False
    kept = text[:-_LONGEST_FOOTER] + text[-_LONGEST_FOOTER:][: found.start()]
    if last is not None:
        last.tail = kept
    else:
        block.text = kept
    return True
