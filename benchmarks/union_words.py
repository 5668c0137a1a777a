"""The grammar that union_news speaks, in Italian and English: `|` stands between the choices."""

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
