"""What WordPress, its plugins and other editors put around a text, and what must stay of it."""

# ruff: noqa: E501  (markup as it comes)

from __future__ import annotations

import pytest

from newsletter.articles.cleaning import Cleaned, clean
from newsletter.articles.excerpt import excerpt

URL = "https://blog.example/2026/07/13/lavoro-agile/"
TEXT = "<p>Il testo vero.</p>"
MORE = "<p>E il suo seguito.</p>"


def cleaned(html: str, title: str = "Lavoro agile") -> Cleaned:
    return clean(html, base_url=URL, entry_url=URL, site_url="https://blog.example/", title=title)


def around(html: str) -> str:
    """What is left of `html` between two paragraphs."""
    found = cleaned(TEXT + html + MORE).html
    assert found.startswith(TEXT)
    assert found.endswith(MORE)
    return found[len(TEXT) : -len(MORE)]


@pytest.mark.parametrize(
    "clutter",
    [
        '<div class="sharedaddy sd-sharing-enabled"><h3>Condividi:</h3><ul><li>X</li></ul></div>',
        '<div class="addtoany_share_save_container"><a class="a2a_dd" href="https://www.addtoany.com/share">'
        "Condividi</a></div>",
        '<div class="sharethis-inline-share-buttons">x</div>',
        '<div class="swp_social_panel swp_horizontal_panel"><a href="https://x.com/intent/tweet?t">1</a></div>',
        '<div class="yarpp yarpp-related"><h3>Correlati</h3><ol><li><a href="/b/">B</a></li></ol></div>',
        '<div id="jp-relatedposts" class="jp-relatedposts"><h3>Correlati</h3></div>',
        '<p><strong>Leggi anche:</strong> <a href="https://blog.example/b/">Un altro post</a></p>',
        '<h4>Leggi anche: <a href="https://blog.example/b/">Un altro post</a></h4>',
        '<h3>Articoli correlati</h3><ul><li><a href="/b/">B</a></li><li><a href="/c/">C</a></li></ul>',
        '<div id="ez-toc-container" class="ez-toc-v2"><ul><li><a href="#a">A</a></li></ul></div>',
        '<h2>Indice</h2><ul><li><a href="#a">Prima</a></li><li><a href="#b">Poi</a></li></ul>',
        '<div class="tnp tnp-subscription"><form><input name="ne"></form>Iscriviti</div>',
        '<div class="cmplz-placeholder">Clicca per accettare i cookie</div>',
        "<p>Clicca per accettare i cookie di marketing e abilitare questo contenuto</p>",
        "<p>&nbsp;</p><p> </p><p><br></p><p><strong>&nbsp;</strong></p><div></div>",
        "<!--[if gte mso 9]><xml><w:View>Normal</w:View></xml><![endif]-->",
        "<xml><w:WordDocument><w:View>Normal</w:View><w:Zoom>0</w:Zoom></w:WordDocument></xml>",
        "<style>p{color:red}</style><script>alert(1)</script>",
        '[vc_row css=".vc_custom{margin:0}"][vc_column width="1/2"]',
        '[box type="shadow"]', "[/vc_column][/vc_row]", '[gallery ids="1,2,3"]', "[contact-form-7 id=3]",
        "[su_divider]", '[time-brightcove not-tgx=&#8221;true&#8221;]',
        '<p><a class="more-link" href="https://blog.example/1/">Continua a leggere</a></p>',
        f'<p>Continua a leggere <a href="{URL}">Lavoro agile</a></p>',
        '<a href="https://feeds.feedburner.com/~ff/blog?a=1"><img src="https://feeds.feedburner.com/~ff/b?d=1"></a>',
        '<img src="https://medium.com/_/stat?event=post" width="1" height="1" alt="">',
        '<img src="https://tracker.example/p" style="width:1px;height:1px">',
        "<p>Archiviato in: <a href='/category/a/'>A</a></p>",
        '<iframe src="https://www.facebook.com/plugins/like.php?href=x"></iframe>',
    ],
)  # fmt: skip
def test_clutter_goes(clutter: str) -> None:
    assert around(clutter) == ""


@pytest.mark.parametrize(
    "kept",
    [
        '<p style="font-size:0.9em">Una nota in piccolo.</p>',
        "<p>Il dialogo [sociale] tra le parti [video della protesta].</p>",
        "<p>Leggi anche le note: ne vale la pena.</p>",
        '<p>Leggi anche: <a href="https://altro.example/legge/">il testo della legge</a></p>',
        '<h3>Articoli correlati</h3><p><a href="https://altro.example/18/">L\u2019articolo 18</a></p>',
        "<p>Condividiamo la scelta dei lavoratori.</p>",
        "<h3>Articoli correlati alla legge</h3>",
        '<p>Per il selettore a[href="x"] vedi sotto.</p>',
        '<pre>[caption id="1"]testo[/caption]</pre>',
        "<ol><li>Uno</li><li>Due</li></ol>",
        "<p>Continua a leggere chi ha tempo.</p>",
        "<p>Stampa e televisione ne parlano.</p>",
        '<p>Nell\u2019<a href="#nota1">articolo 18</a> si legge altro.</p>',
        "<blockquote><p>\u00abSi sciopera\u00bb</p></blockquote>",
        "<p>Cookie e biscotti: accetta chi vuole, rifiuta chi pu\u00f2.</p>",
    ],
)
def test_text_that_only_looks_like_clutter_stays(kept: str) -> None:
    words = cleaned(kept).text
    assert words
    assert words in cleaned(TEXT + kept + MORE).text
    assert len(words) >= len("Uno\nDue")


@pytest.mark.parametrize(
    ("html", "address", "name"),
    [
        ('<iframe src="https://www.youtube.com/embed/abcdefg1234?rel=0" title="Il corteo"></iframe>',
         "https://www.youtube.com/watch?v=abcdefg1234", "Il corteo (YouTube)"),
        ('<iframe data-src="//www.youtube-nocookie.com/embed/abcdefg1234"></iframe>',
         "https://www.youtube.com/watch?v=abcdefg1234", "YouTube"),
        ('<iframe src="https://www.youtube.com/embed/videoseries?list=PL123"></iframe>',
         "https://www.youtube.com/playlist?list=PL123", "YouTube"),
        ('<iframe src="https://player.vimeo.com/video/12345?h=1"></iframe>',
         "https://vimeo.com/12345", "Vimeo"),
        ('<iframe src="https://open.spotify.com/embed/episode/1a2b"></iframe>',
         "https://open.spotify.com/episode/1a2b", "Spotify"),
        ('<iframe src="https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b"></iframe>',
         "https://soundcloud.com/a/b", "SoundCloud"),
        ('<iframe src="https://mastodon.example/@anna/12345/embed"></iframe>',
         "https://mastodon.example/@anna/12345", "mastodon.example"),
        ('<blockquote class="instagram-media" data-instgrm-permalink="https://www.instagram.com/p/Ab1/?utm_'
         'source=ig"><svg></svg><p>Visualizza questo post su Instagram</p></blockquote>',
         "https://www.instagram.com/p/Ab1/", "Instagram"),
        ('<blockquote class="tiktok-embed" cite="https://www.tiktok.com/@a/video/123"><section>@a</section>'
         "</blockquote>", "https://www.tiktok.com/@a/video/123", "TikTok"),
        ('<div class="fb-post" data-href="https://www.facebook.com/a/posts/1"></div>',
         "https://www.facebook.com/a/posts/1", "Facebook"),
        ('<iframe src="https://www.facebook.com/plugins/video.php?href=https%3A%2F%2Fwww.facebook.com%2Fv%2F1">'
         "</iframe>", "https://www.facebook.com/v/1", "Facebook"),
        ('<figure class="wp-block-embed"><div class="wp-block-embed__wrapper">\nhttps://youtu.be/abcdefg1234\n'
         "</div></figure>", "https://www.youtube.com/watch?v=abcdefg1234", "YouTube"),
        ("<p>https://www.youtube.com/watch?v=abcdefg1234</p>",
         "https://www.youtube.com/watch?v=abcdefg1234", "YouTube"),
        ("<p>https://altro.example/una/pagina</p>",
         "https://altro.example/una/pagina", "https://altro.example/una/pagina"),
        ("<p>[embed]https://vimeo.com/12345[/embed]</p>", "https://vimeo.com/12345", "Vimeo"),
        ('[embedplusvideo height="320" standard="http://www.youtube.com/v/abcdefg1234?fs=1" id="ep1" /]',
         "https://www.youtube.com/watch?v=abcdefg1234", "YouTube"),
        ('<amp-youtube data-videoid="abcdefg1234"></amp-youtube>',
         "https://www.youtube.com/watch?v=abcdefg1234", "YouTube"),
        ('<amp-twitter data-tweetid="99"></amp-twitter>', "https://x.com/i/status/99", "X"),
        ('<video controls><source src="/uploads/corteo.mp4" type="video/mp4"></video>',
         "https://blog.example/uploads/corteo.mp4", "corteo.mp4"),
        ('<figure class="wp-block-audio"><audio controls src="/uploads/voce.mp3"></audio></figure>',
         "https://blog.example/uploads/voce.mp3", "voce.mp3"),
        ('<object data="https://www.youtube.com/v/abcdefg1234"><param name="movie" value="x"></object>',
         "https://www.youtube.com/watch?v=abcdefg1234", "YouTube"),
    ],
)  # fmt: skip
def test_player_becomes_a_link_with_a_name(html: str, address: str, name: str) -> None:
    left = around(html)
    assert f'<a href="{address}" rel="noopener">{name}</a>' in left
    assert left.count("<a ") == 1


@pytest.mark.parametrize(
    ("image", "source"),
    [
        ('<img src="data:image/gif;base64,R0" data-src="/a.jpg">', "/a.jpg"),
        ('<img src="/lazy_placeholder.gif" data-lazy-src="/a.jpg">', "/a.jpg"),
        ('<img src="data:image/svg+xml,%3Csvg" class="lazy"><noscript><img src="/a.jpg"></noscript>', "/a.jpg"),
        ('<img src="data:x" data-src="/a.jpg"><noscript><img src="/a.jpg"></noscript>', "/a.jpg"),
        ('<img srcset="/s.jpg 300w, /a.jpg 1024w, /xl.jpg 4000w">', "/a.jpg"),
        ('<picture><source srcset="/a.webp 800w"><img src="data:image/gif;base64,R0"></picture>', "/a.webp"),
        ('<picture><source srcset="/a.webp"><img src="/a.jpg"></picture>', "/a.jpg"),
        ('<amp-img src="/a.jpg" width="800" height="600"></amp-img>', "/a.jpg"),
        ('<img src="//blog.example/a.jpg">', "/a.jpg"),
        ("<img src='https://blog.example/a b.jpg'>", "/a%20b.jpg"),
    ],
)  # fmt: skip
def test_picture_is_found_behind_its_stand_in(image: str, source: str) -> None:
    found = cleaned(f"{TEXT}<p>{image}</p>")
    assert found.image_url == f"https://blog.example{source}"
    assert found.html.count("<img") == 1


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>L&amp;#8217;orario &amp;egrave; di 35 ore&amp;hellip;</p>", "L\u2019orario \u00e8 di 35 ore\u2026"),
        ("&lt;p&gt;Tutto &lt;b&gt;due&lt;/b&gt; volte.&lt;/p&gt;&lt;p&gt;S\u00ec.&lt;/p&gt;", "Tutto due volte.\nS\u00ec."),
        ("<p>Il tag &lt;p&gt; apre un paragrafo&lt;/p&gt;.</p>", "Il tag <p> apre un paragrafo</p>."),
        ("<p>Scrivi <code>&amp;egrave;</code>.</p>", "Scrivi &egrave;."),
        ("<details><summary>Apri</summary><p>Dentro</p></details>", "Apri\nDentro"),
    ],
)  # fmt: skip
def test_text_is_escaped_once(html: str, text: str) -> None:
    assert cleaned(html).text == text


def test_jump_within_the_page_becomes_text() -> None:
    html = '<p>Vedi la <a href="#nota">nota <b>1</b></a> e <a href="/legge/">la legge</a>.</p>'
    assert cleaned(html).html == (
        "<p>Vedi la nota <b>1</b> e "
        '<a href="https://blog.example/legge/" rel="noopener">la legge</a>.</p>'
    )


def test_caption_shortcode_becomes_a_caption() -> None:
    shortcode = (
        '[caption id="a_1" width="300"]<img src="/a.jpg" alt="Il corteo"> In piazza[/caption]'
    )
    assert around(shortcode) == (
        '<figure><img src="https://blog.example/a.jpg" alt="Il corteo">'
        "<figcaption> In piazza</figcaption></figure>"
    )


@pytest.mark.parametrize(
    "emoji", ["\u270a", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", ";-)"]
)
def test_emoji_drawn_as_an_image_is_a_letter_again(emoji: str) -> None:
    image = f'<img src="https://s.w.org/images/core/emoji/15/72x72/x.png" alt="{emoji}" class="wp-smiley">'
    assert cleaned(f"<p>Ciao {image} a tutti</p>").text == f"Ciao {emoji} a tutti"


def test_heading_that_repeats_the_title_goes_and_others_stay_below_it() -> None:
    found = cleaned(f"<h1>Lavoro agile</h1>{TEXT}<h1>Una sezione</h1>{MORE}")
    assert found.html == f"{TEXT}<h2>Una sezione</h2>{MORE}"


@pytest.mark.parametrize(
    "hostile",
    [
        '<a href="javascript:alert(1)">x</a>', '<a href=" java\nscript:alert(1)">x</a>',
        '<a href="data:text/html,x">x</a>', '<a href="vbscript:x">x</a>',
        '<img src="x.jpg" onerror="alert(1)">', "<svg><script>alert(1)</script></svg>",
        "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>", '<form action="/x"><button>x</button></form>',
        '<p style="background:url(javascript:alert(1))">x</p>', "<base href='https://cattivo.example/'>",
        '<meta http-equiv="refresh" content="0;url=https://cattivo.example/">',
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>x</p></noscript>", '<blockquote class="instagram-media" '
        'data-instgrm-permalink="javascript:alert(1)">x</blockquote>',
        '<iframe srcdoc="<script>alert(1)</script>"></iframe>', "<template><img src=x onerror=alert(1)></template>",
        '<amp-facebook data-href="javascript:alert(1)"></amp-facebook>',
    ],
)  # fmt: skip
def test_nothing_that_acts_survives(hostile: str) -> None:
    html = cleaned(TEXT + hostile + MORE).html.lower()
    for sign in ("javascript:", "onerror=", "<script", "<svg", "<math", "<form", "style=", "data:",
                 "<iframe", "cattivo", "vbscript", "srcdoc"):  # fmt: skip
        assert sign not in html


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("La F.I.O.M. e la Ford S.p.A. Italia hanno firmato. " + "Poi altro " * 40, "La F.I.O.M. e la Ford S.p.A. Italia hanno firmato."),
        ("Il sig. Verdi, la dott.ssa Neri e l\u2019avv. Rossi difendono il n. 300 dello Statuto. " + "E poi " * 60,
         "Il sig. Verdi, la dott.ssa Neri e l\u2019avv. Rossi difendono il n. 300 dello Statuto."),
        ("L\u2019aumento \u00e8 del 3.5 per cento, pari a 1.200 euro. \u00abNon basta.\u00bb " + "Dicono in molti " * 30,
         "L\u2019aumento \u00e8 del 3.5 per cento, pari a 1.200 euro. \u00abNon basta.\u00bb"),
        ("Il testo intero sta nel feed, ma qui \u00e8 tagliato. E la seconda frase non fin [\u2026] Leggi tutto",
         "Il testo intero sta nel feed, ma qui \u00e8 tagliato."),
        ("Am 13. August 2025 streiken alle im Werk von Köln. " + "Und dann noch etwas " * 30,
         "Am 13. August 2025 streiken alle im Werk von Köln."),
    ],
)  # fmt: skip
def test_excerpt_knows_abbreviations_numbers_and_quotes(text: str, short: str) -> None:
    assert excerpt(text) == short
