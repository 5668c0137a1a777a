"""Posts as a union's blog has them, their copies elsewhere, and look-alikes that are other news.

Made by chance from a small grammar in Italian and English: `|` stands between the choices.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

IT = {
    "noun": """
        assemblea|piattaforma|contrattazione|vertenza|tutela|previdenza|pensione|indennità|
        retribuzione|paga|tredicesima|ferie|malattia|infortunio|prevenzione|mensa|pausa|
        reparto|capannone|officina|linea|catena|cottimo|straordinario|reperibilità|appalto|
        subappalto|cooperativa|licenza|congedo|maternità|paternità|delega|tessera|comizio|
        corteo|presidio|volantino|consulta|delegazione|mobilità|cassa|integrazione|
        licenziamento|dimissione|preavviso|liquidazione|ricorso|sentenza|ispezione|sanzione|
        bonifica|amianto|rumore|calore|polvere|ergonomia|inquadramento|mansione|livello|
        anzianità|qualifica|apprendistato|tirocinio|stagione|raccolta|magazzino|consegna|
        piattaforma digitale|telecamera|controllo|riservatezza|formazione|riconversione|
        chiusura|acquisizione|fusione|bilancio|dividendo|sussidio|bonus|detassazione|welfare|
        sanità|scuola|asilo
    """,
    "adj": """
        collettiva|territoriale|aziendale|integrativa|nazionale|straordinaria|improvvisa|
        ingiusta|dovuta|promessa|negata|rinnovata|condivisa|parziale|completa|immediata|
        gratuita|volontaria|obbligatoria|precaria|stabile|notturna|festiva|estiva|invernale|
        pericolosa|sicura|trasparente|segreta|pubblica|privata|storica|recente|urgente|attesa|
        contestata|firmata|annunciata|sospetta|regolare
    """,
    "who": """
        i lavoratori dello stabilimento di {place}|le delegate sindacali del gruppo {firm}|la
        rappresentanza unitaria di {firm}|gli addetti del magazzino di {place}|le operatrici
        della cooperativa {firm}|i rider della città di {place}|il coordinamento nazionale di
        {sector}|la segreteria territoriale di {place}|gli insegnanti precari della provincia
        di {place}|i tecnici dell’azienda {firm}|la delegazione trattante guidata da {name}|le
        infermiere del pronto soccorso di {place}
    """,
    "did": """
        hanno respinto la {noun} {adj} avanzata|chiedono {noun} e {noun}|hanno approvato
        {noun} {adj} e {noun}|denunciano {noun} e {noun} {adj}|hanno proclamato lo stato di
        agitazione|sono tornati a parlare di {noun}|hanno firmato un’intesa {adj} su {noun}|
        contestano {noun} {adj} e {noun}|rivendicano {noun} {adj} e {noun} {adj}|hanno
        presentato {noun} {adj}|hanno discusso con la direzione di {noun}|si sono riuniti per
        la {noun} {adj}
    """,
    "what": """
        sul {noun} e sulla {noun} {adj}|per la {noun} a parità di {noun}|contro la {noun}
        {adj} del {noun}|sulle {noun} {adj} che mancano da {noun}|per il rinnovo della {noun}
        {adj}|contro i {noun} decisi senza {noun}|sugli algoritmi che assegnano {noun} e
        {noun}|per il diritto alla {noun} {adj}|contro gli appalti di {noun} {adj}|sulla
        formazione {adj} in {noun}|per un aumento di {amount} euro al mese|contro la chiusura
        prevista per {month}
    """,
    "how": """
        come spiega {name} parlando di {noun} {adj}|dopo {number} ore di trattativa|davanti
        alla prefettura di {place}|mentre l’azienda rinvia {noun} e {noun}|con l’adesione di
        {number} dipendenti su cento|alla presenza dell’assessora {name}|nonostante {noun}
        {adj} e {noun}|in attesa di {noun} {adj}|come era accaduto a {place} lo scorso
        {month}|con il sostegno di {noun} {adj}|e intanto a {place} si allarga la {noun}
        {adj}|perché {noun} e {noun} non restino indietro
    """,
    "and": """
        Il confronto riprenderà a {month}|La cassa di resistenza ha raccolto {amount} euro|
        Restano aperti i nodi di {noun} {adj} e {noun}|Per {name} è una {noun} che apre la
        strada a {noun} {adj}|Secondo l’azienda {firm} {noun} e {noun} non lo permettono|A
        {place} i turni di notte sono passati da {number} a {count} al mese|La {noun} {adj}
        sarà sottoposta al voto segreto|Nel settore {sector} la perdita di potere d’acquisto
        supera il {number} per cento
    """,
    "place": """
        Torino|Milano|Brescia|Bologna|Modena|Firenze|Livorno|Terni|Ancona|Pescara|Napoli|Bari|
        Taranto|Cosenza|Catania|Palermo|Cagliari|Genova|Trieste|Padova|Piacenza|Prato
    """,
    "firm": """
        Meccanica Lariana|Tessile Adda|Logistica Nord|Ceramiche Secchia|Arco Sociale|
        Pastificio Sole|Cantieri Ligure|Fonderie Alpi|Vetreria Arno|Servizi Delta|Elettra Sud|
        Carta Tevere
    """,
    "sector": """
        metalmeccanico|tessile|logistica|sanità privata|scuola|commercio|trasporto locale|
        edilizia|agroindustria|informatica|turismo|igiene urbana
    """,
    "name": """
        Anna Ferri|Marco Dini|Lucia Serra|Paolo Greco|Sara Conti|Omar Haddad|Giulia Villa|Ivan
        Moro|Elena Costa|Rosa Marino|Davide Longo|Fatima Bensaid
    """,
    "month": """
        gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|settembre|ottobre|novembre|dicembre
    """,
    "title": """
        {firm}, {number} posti a rischio|{place}: accordo sul premio|Turni e salute, parla
        {name}|{sector}, il rinnovo è più vicino|A {place} cancelli presidiati da {number}
        giorni|Perché {firm} deve trattare|{name}: “La sicurezza non è un costo”|{place},
        vince il voto delle lavoratrici
    """,
    "footer": """
        Se ti è piaciuto questo articolo iscriviti alla nostra lettera settimanale e seguici
        sui canali.|Tutti i diritti riservati. Riproduzione consentita citando la fonte e
        l’autore dell’articolo.|Leggi anche le altre notizie della categoria e scrivi alla
        redazione per segnalazioni e proposte.|Aiutaci a restare indipendenti: dona il cinque
        per mille alla nostra associazione di promozione sociale.
    """,
    "notice": """
        Sciopero del {sector} a {place}, {day} {month}|Si informa che per {day} {month} {year}
        è stato proclamato uno sciopero del personale del {sector} nel territorio di {place}.
        Lo sciopero interesserà le prime {count} ore di ciascun turno, secondo le modalità che
        seguono: personale viaggiante dalle ore {hour} alle ore {late}, personale degli
        impianti fissi per l’intera prestazione, personale amministrativo nelle ultime {count}
        ore del turno. Saranno garantite le fasce protette e i servizi minimi indispensabili
        previsti dalla legge e dall’accordo di settore. Le motivazioni riguardano il mancato
        rinnovo del contratto integrativo, i carichi di lavoro non più sostenibili e la
        sicurezza di chi lavora a contatto con il pubblico. Il concentramento è previsto in
        piazza della stazione di {place} alle ore {hour}. Le lavoratrici e i lavoratori che
        intendono partecipare possono rivolgersi alle delegate e ai delegati presenti in ogni
        posto di lavoro oppure alla sede territoriale negli orari di apertura. Per la
        segreteria di {place}: {name}.
    """,
    "bulletin": """
        Bollettino della settimana n. {issue}|Care iscritte e cari iscritti, questo è il
        bollettino settimanale della nostra sede. Gli sportelli fiscali e previdenziali sono
        aperti dal lunedì al venerdì dalle 9 alle 13 e il martedì anche di pomeriggio; per la
        dichiarazione dei redditi si riceve solo su appuntamento telefonando al centralino
        oppure scrivendo alla casella di posta della segreteria. Per le vertenze individuali
        portate con voi le ultime tre buste paga e il contratto di assunzione. {body}
        Ricordiamo che la tessera si rinnova ogni anno e dà diritto alla consulenza gratuita,
        alle convenzioni con i teatri e alla tutela legale in caso di infortunio. Passate
        parola a chi lavora con voi e inoltrate questo messaggio a chi non lo riceve ancora.
        Buona lettura e buona settimana dalla redazione.
    """,
}
EN = {
    "noun": """
        assembly|claim|bargaining|dispute|protection|insurance|pension|allowance|wages|pay|
        bonus|leave|sickness|injury|prevention|canteen|breaks|department|shed|workshop|line|
        chain|piecework|overtime|standby|tender|subcontract|cooperative|licence|parenthood|
        proxy|membership|rally|march|picket|leaflet|council|delegation|redundancy|dismissal|
        resignation|notice|settlement|appeal|ruling|inspection|penalty|clean-up|asbestos|
        noise|heat|dust|ergonomics|grading|duties|level|seniority|apprenticeship|placement|
        season|harvest|depot|delivery|platform|cameras|monitoring|privacy|training|conversion|
        closure|takeover|merger|budget|dividend|subsidy|relief|welfare|hospital|school
    """,
    "adj": """
        collective|regional|local|national|special|sudden|unfair|promised|denied|renewed|
        shared|partial|complete|immediate|free|voluntary|compulsory|insecure|stable|overnight|
        festive|summer|winter|dangerous|safe|transparent|secret|public|private|historic|
        recent|urgent|awaited|contested|signed|announced|suspect|regular|temporary|permanent
    """,
    "who": """
        workers at the {place} plant|shop stewards across the {firm} group|the joint union
        committee at {firm}|warehouse staff in {place}|care assistants employed by {firm}|
        delivery riders in the city of {place}|the national {sector} council|the regional
        office in {place}|supply teachers around {place}|engineers at the {firm} company|the
        bargaining team led by {name}|nurses at the {place} emergency ward
    """,
    "did": """
        have thrown out the {adj} {noun}|are asking for {noun} and {noun}|have backed the
        {adj} {noun}|say that {noun} and {noun} have been ignored|have opened a dispute about
        {adj} {noun}|went back to talk of {noun}|have signed a deal on {adj} {noun}|object to
        {adj} {noun} and {noun}|want {adj} {noun} made permanent|have filed a {adj} {noun}|met
        the management about {noun}|are holding a {adj} {noun}
    """,
    "what": """
        over the {adj} {noun} and the {noun}|for {adj} {noun} without {noun}|against the
        {noun} of the {adj} {noun}|about {adj} {noun} missing since {month}|for a new {adj}
        {noun}|against {noun} decided without {noun}|over the algorithms behind {noun} and
        {noun}|for the right to {adj} {noun}|against {noun} won by {adj} {noun}|over {noun}
        paid in {adj} {noun}|for a rise of {amount} pounds a month|against the closure planned
        for {month}
    """,
    "how": """
        as {name} said of {adj} {noun}|after {number} hours of talks|outside the town hall in
        {place}|while the company puts off {noun} and {noun}|with {number} in every hundred
        employees taking part|in the presence of councillor {name}|in spite of {adj} {noun}
        and {noun}|pending {adj} {noun}|just as it happened in {place} last {month}|with the
        support of {adj} {noun}|and meanwhile the {noun} spreads to {place}|so that {noun} and
        {noun} are not left behind
    """,
    "and": """
        Talks will resume in {month}|The hardship fund has raised {amount} pounds|The {adj}
        {noun} and the {noun} are still on the table|For {name} the {noun} paves the way for
        {adj} {noun}|According to {firm} {noun} and {noun} do not allow it|In {place} night
        shifts went from {number} to {count} a month|The {adj} {noun} will be put to a secret
        ballot|In {sector} the loss of purchasing power is above {number} per cent
    """,
    "place": """
        Leeds|Glasgow|Cardiff|Bristol|Hull|Derby|Dundee|Belfast|Norwich|Exeter|Sheffield|
        Luton|Swansea|Coventry|Preston|Oldham|Reading|Stoke|York|Durham|Bolton|Wigan
    """,
    "firm": """
        Northgate Steel|Pennine Textiles|Harbour Freight|Clyde Ceramics|Open Arms Care|Meadow
        Foods|Tyne Yards|Castle Foundry|Avon Glass|Delta Services|Southern Power|Mersey Paper
    """,
    "sector": """
        engineering|textiles|logistics|private care|education|retail|local transport|
        construction|food processing|software|tourism|waste collection
    """,
    "name": """
        Ann Fowler|Mark Dunne|Lucy Shaw|Paul Grant|Sara Cole|Omar Haddad|Julia Vance|Ivan
        Moore|Helen Cross|Rose Martin|David Long|Fatima Bensaid
    """,
    "month": """
        January|February|March|April|May|June|July|September|October|November|December
    """,
    "title": """
        {firm}: {number} jobs at risk|{place} wins a deal on the bonus|Shifts and health, by
        {name}|{sector}: a new contract is closer|At the gates in {place} for {number} days|
        Why {firm} has to talk|{name}: “Safety is not a cost”|{place}: women workers win the
        vote
    """,
    "footer": """
        If you liked this story subscribe to our weekly letter and follow us on every
        channel.|All rights reserved. You may republish this text as long as the source and
        the writer are named.|Read our other stories in this section and write to the editors
        with your tips and proposals.|Help us stay independent: become a supporter of our
        association with a small monthly donation.
    """,
    "notice": """
        {sector} strike in {place}, {day} {month}|Notice is given that on {day} {month} {year}
        members working in {sector} in the area of {place} will take part in strike action.
        The action will cover the first {count} hours of each shift, as set out below:
        travelling staff from {hour} to {late}, staff at fixed sites for the whole of their
        duty, office staff for the last {count} hours of the shift. The protected hours and
        the minimum services laid down by law and by the sector agreement will be kept. The
        reasons are the failure to renew the local contract, workloads that can no longer be
        borne and the safety of those who work in contact with the public. Members will gather
        in the station square in {place} at {hour}. Those who wish to take part can speak to
        the representatives present in every workplace or call at the local office during
        opening hours. For the branch in {place}: {name}.
    """,
    "bulletin": """
        Weekly bulletin no. {issue}|Dear members, this is the weekly bulletin of our branch.
        The tax and pensions desks are open from Monday to Friday between nine and one and on
        Tuesday in the afternoon as well; for help with your tax return we see people by
        appointment only, so please call the switchboard or write to the office. For
        individual cases bring your last three payslips and your contract with you. {body}
        Please remember that your card is renewed every year and entitles you to free advice,
        to lower prices in theatres and to legal help after an accident at work. Pass the word
        to those who work with you and forward this message to those who do not get it yet.
        Enjoy the read from all of us here.
    """,
}


@dataclass(frozen=True)
class Post:
    kind: str
    title: str
    text: str
    language: str
    news: int  # equal for articles that tell the same
    hours: float = 0  # after NOW
    feed: int = 0


class Maker:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.words = {
            language: {
                name: [" ".join(one.split()) for one in text.split("|")]
                for name, text in grammar.items()
            }
            for language, grammar in (("it", IT), ("en", EN))
        }
        self.news = 0

    def say(self, pattern: str, language: str, **given: str) -> str:
        def word(found: re.Match[str]) -> str:
            name = found[1]
            if name in given:
                return given[name]
            numbers = {"number": (3, 97), "count": (2, 9), "amount": (110, 980), "day": (1, 28)}
            if name in numbers:
                return str(self.chance.randint(*numbers[name]))
            return self.chance.choice(self.words[language][name])

        return re.sub(r"{(\w+)}", word, pattern)

    def pick(self, name: str, language: str) -> str:
        return self.say(self.chance.choice(self.words[language][name]), language)

    def text(self, language: str, sentences: int) -> str:
        said = []
        for _number in range(sentences):
            order = ["who", "did", "what", "how"]
            if self.chance.random() < 0.3:
                order = ["how", "who", "did", "what"]
            sentence = " ".join(self.pick(part, language) for part in order)
            if self.chance.random() < 0.5:
                sentence += f", {self.pick('how', language)}"
            said.append(sentence[0].upper() + sentence[1:] + ".")
            if self.chance.random() < 0.5:
                said.append(self.pick("and", language) + ".")
        return " ".join(said)

    def post(self, language: str = "", kind: str = "original") -> Post:
        language = language or self.chance.choice(["it", "it", "en"])
        self.news += 1
        text = self.text(language, self.chance.randint(7, 28))
        return Post(kind, self.pick("title", language), text, language, self.news)

    def footer(self, post: Post) -> str:
        footers = self.chance.sample(self.words[post.language]["footer"], 2)
        return f"{post.text} {' '.join(footers)}"

    def edited(self, post: Post, share: float, *, plain: bool = False) -> str:
        """Words replaced by others of the same language, here and there.

        `plain`: names and numbers stay, as when somebody polishes a text.
        """
        others = self.text(post.language, 30).split()
        if plain:
            others = [word for word in others if word.islower() and word.isalpha()]
        return " ".join(
            self.chance.choice(others)
            if self.chance.random() < share and (not plain or word.islower())
            else word
            for word in post.text.split()
        )

    def half(self, post: Post) -> str:
        words = post.text.split()
        return " ".join(words[: len(words) // 2])

    def excerpt(self, post: Post) -> str:
        return " ".join(post.text.split()[:55]) + " […]"

    def preface(self, post: Post) -> str:
        return f"{self.text(post.language, 2)} {post.text}"

    def respelt(self, post: Post) -> str:
        """As another editor's software writes it: capitals, apostrophes, accents."""
        text = post.text.replace("’", "'").replace("è", "e'").replace("“", '"').replace("”", '"')
        return re.sub(r"\b(sciopero|contract|accordo|deal)\b", lambda one: one[0].upper(), text)

    def copy(self, post: Post, kind: str) -> Post:
        texts = {
            "identical": lambda: post.text,
            "footer added": lambda: self.footer(post),
            "3 % edited": lambda: self.edited(post, 0.03),
            "3 % polished": lambda: self.edited(post, 0.04, plain=True),
            "10 % edited": lambda: self.edited(post, 0.10),
            "half": lambda: self.half(post),
            "55-word excerpt": lambda: self.excerpt(post),
            "introduced": lambda: self.preface(post),
            "respelt": lambda: self.respelt(post),
        }
        title = post.title
        if self.chance.random() < 0.3:  # another editor's headline
            title = " ".join(post.text.split()[: self.chance.randint(5, 9)])
        later = self.chance.uniform(0.5, 60)
        return replace(post, kind=kind, title=title, text=texts[kind](), hours=later, feed=1)

    def form(self, kind: str, language: str, **given: str) -> Post:
        """Other news in the same words: a notice, a bulletin."""
        pattern = self.chance.choice([IT, EN]) if not language else {"it": IT, "en": EN}[language]
        title, _, text = " ".join(pattern[kind].split()).partition("|")
        self.news += 1
        return Post(
            kind,
            self.say(title, language, **given),
            self.say(text, language, **given),
            language,
            self.news,
            self.chance.uniform(0, 60),
            self.chance.randint(0, 1),
        )

    def notices(self, count: int) -> list[Post]:
        """From one form, one after the other: another place, or another day, or both."""
        made = []
        for number in range(count):
            language = ["it", "en"][number % 2]
            words = self.words[language]
            base = {
                "place": self.chance.choice(words["place"]),
                "sector": self.chance.choice(words["sector"]),
                "name": self.chance.choice(words["name"]),
                "month": self.chance.choice(words["month"]),
                "day": str(self.chance.randint(1, 14)),
                "year": "2026",
                "count": "4",
                "hour": "9.30",
                "late": "17.30",
            }
            other = dict(base)
            change = number % 3
            if change != 1:
                other["place"] = self.chance.choice(
                    [p for p in words["place"] if p != base["place"]]
                )
            if change != 0:
                other["day"] = str(int(base["day"]) + self.chance.randint(1, 14))
            made += [self.form("notice", language, **base), self.form("notice", language, **other)]
        return made

    def bulletins(self, count: int) -> list[Post]:
        return [
            replace(
                self.form(
                    "bulletin", language, issue=str(20 + number), body=self.text(language, 3)
                ),
                hours=168 * number,
                feed=0,
            )
            for language in ("it", "en")
            for number in range(count)
        ]

    def called_off(self, count: int) -> list[Post]:
        """A notice, and a day later the same with the news on top that it is called off."""
        made = []
        for number in range(count):
            first = self.notices(2)[number % 2 * 2]
            turn = {"it": "Lo sciopero è revocato.", "en": "The strike has been called off."}
            self.news += 1
            made += [
                replace(first, kind="called off"),
                replace(
                    first,
                    kind="called off",
                    text=f"{turn[first.language]} {first.text}",
                    news=self.news,
                    hours=first.hours + 24,
                ),
            ]
        return made

    def round_ups(self, count: int) -> list[Post]:
        """The openings of several posts, and one of them by itself."""
        made = []
        for _number in range(count):
            posts = [self.post("it", "round-up") for _item in range(6)]
            self.news += 1
            text = " ".join(f"{post.title}. {self.excerpt(post)}" for post in posts)
            made += [
                *(replace(post, text=self.excerpt(post), hours=2) for post in posts[:3]),
                Post("round-up", "La settimana in breve", text, "it", self.news, 10, 1),
            ]
        return made


COPIES = [
    "identical", "footer added", "3 % edited", "3 % polished", "10 % edited", "half",
    "55-word excerpt", "introduced", "respelt",
]  # fmt: skip


def corpus(pieces: int, seed: int) -> list[Post]:
    maker = Maker(seed)
    posts = []
    for kind in COPIES:
        for _number in range(pieces):
            original = maker.post()
            posts += [original, maker.copy(original, kind)]
    posts += [maker.post(kind="alone") for _number in range(pieces * 4)]
    posts += maker.notices(pieces)
    posts += maker.bulletins(12)
    posts += maker.called_off(pieces // 5)
    posts += maker.round_ups(pieces // 10)
    maker.chance.shuffle(posts)
    return posts
