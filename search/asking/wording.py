"""Notes on a sentence that a model trained on English probably cannot understand.

The published X-CLIPs were trained on English captions. Other text gets a vector as well, and an
answer that looks just as certain. The notes are guesses from the words alone, and only hints: in
doubt there is none, and a sentence with a common English word gets none.
"""

import re
from collections.abc import Callable, Sequence
from unicodedata import category, name, normalize

_ONLY_ENGLISH = "the model knows only English"
_NEGATION = re.compile(
    r"\b(no|not|never|without|except|excluding|nobody|no one|nothing|\w+n['’]t)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]+")
_WORDS_QUOTED = 4
_LETTERS_QUOTED = 60
_LETTERS_NAMED = 40  # of a sentence that a note is about


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that name nothing visible. Some of them are words of other languages, too.
_STOP_WORDS = _words(
    """
    a about all also am an and any are as at be been being but by can could did do does for from
    had has have he her here hers him his how i if in into is it its just me mine my no nor not
    of on or our ours she should so some such than that the their theirs them then there these
    they this those to too very was we were what when where which who whom whose why will with
    would you your yours
    """
)
# Words that are rare in sentences in other languages.
_ENGLISH = _words(
    """
    and are behind being between boy boys by car cat cats child children cooking dancing dog
    dogs driving eating from girl girls holding house into jumping kid kids looking near of
    people playing riding running sitting singing sleeping someone something standing talking
    that the their there these they this through walking watching wearing what when where which
    while who with woman women you your
    """
)
# Without accents: common words of other languages that are neither English nor names ...
_FOREIGN = _words(
    """
    bailando bajando caminando cantando cayendo circulo coche cocinando comiendo comida
    corriendo cuadrado gatos haciendo hablando jugando lluvia muchacha muchacho mujer mujeres
    nadando ninas ninos perro perros personas saltando tocando

    brincando cachorro cantando comendo correndo cozinhando crianca criancas dancando gatinho
    homem homens menina menino mulher nao pessoa pessoas praia uma vermelho

    avec chien chiens courent courir cuisiner dansent danser enfants fille filles joue jouent
    manger neige oiseau personne personnes pluie une voiture voitures

    auf beim blauer blaues eine einem einen einer eines fahren fahrt frauen geht hunde hund ist
    isst katze katzen kocht kreis lauft leute madchen menschen nicht regnet rennt roter rotes
    schnee schwimmt singt spielen spielt strasse tanzt tanzen wasser zwei

    bambini bambina corre cucinando gatto gatti gioca giocano gli macchina pioggia ragazza
    ragazzo ragazzi spiaggia sul sulla uomini uomo

    een fietst het hond honden jongen kinderen kookt loopt meisje mensen naar rijdt speelt
    spelen vrouw vrouwen zwemt

    ett flicka gutt jente kvinde kvinna lagar leker loper lober manniska och pojke som springer

    biegnie dziecko gotuje kobieta ludzie mezczyzna samochod tanczy bezi dite kocka muz zena
    kosuyor kadin kopek cocuk bir icin anak anjing bermain berlari dengan kucing memasak pantai
    perempuan sedang seorang egy ferfi koira juoksee kutya macska nainen barbat caine femeie
    pisica
    """
)
# ... and common words that occur in English names and phrases as well.
_FOREIGN_TOO = _words(
    """
    agua al au aux av azul bambino casa che chica chico com con cucina da dans das de del dem
    der des di die donna dos du ein el em en enfant est et femme frau garcon gato haus hombre
    homme i il ile im kat la las le les lo los maison mangia mann med mit montana na nacht nel
    nella neve nina nino noche notte och og pa para playa por que qui rojo rouge rue sie su sur
    til um un una und uno van ve verde von y yang zu
    """
)
_UNACCENTED = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "đ": "d", "æ": "ae", "œ": "oe"})
_ENOUGH_EVIDENCE = 3
_ENOUGH_ACCENTS = 4


def notes_on(sentence: str, *, read: int | None = None) -> tuple[str, ...]:
    """Notes on a sentence, in sentences about it; mostly none.

    `read` is the number of letters that the model reads, if the sentence is too long for it.
    """
    cut = () if read is None else (_cut_off(sentence[:read]),)
    return (*cut, *_guesses(sentence))


def notes_on_all(
    sentences: Sequence[str], *, letters_read: Callable[[str], int | None]
) -> tuple[str, ...]:
    """Notes on the sentences of a question; where there are several, each says of which.

    `letters_read` tells how many letters the model reads of a sentence; None: all.
    """
    found = []
    for sentence in sentences:
        begin = f"“{_shortened(sentence)}”: " if len(sentences) > 1 else ""
        notes = (*notes_on(sentence, read=letters_read(sentence)), *_negations(sentence))
        found += [begin + note for note in notes]
    return tuple(dict.fromkeys(found))


def _negations(sentence: str) -> tuple[str, ...]:
    """A note on a word such as `without`: models of this kind hardly read it."""
    negation = _NEGATION.search(sentence)
    if negation is None:
        return ()
    return (
        f"the model does not understand “{negation[0].lower()}”; what is not wanted is a sentence"
        " of its own: --not TEXT",
    )


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= _LETTERS_NAMED else f"{sentence[:_LETTERS_NAMED]}…"


def _guesses(sentence: str) -> tuple[str, ...]:
    if not any(category(letter)[0] in "LN" for letter in sentence):
        return (f"there are no words to look for in it; {_ONLY_ENGLISH}",)
    letters = [letter for letter in sentence if category(letter)[0] == "L"]
    if 2 * sum(map(_is_latin, letters)) < len(letters):
        return (f"it is not written in Latin letters, and {_ONLY_ENGLISH}",)
    words = _WORD.findall(sentence.casefold())
    if words and _STOP_WORDS.issuperset(words) and not any(map(str.isnumeric, sentence)):
        return ("it names nothing that can be seen; say in English what is to be found",)
    if _looks_foreign(words):
        return (f"it does not look like English, and {_ONLY_ENGLISH}",)
    return ()


def _cut_off(part: str) -> str:
    words = " ".join(part.split()[-_WORDS_QUOTED:])[-_LETTERS_QUOTED:]
    return f"it is too long for the model, which reads it up to “… {words}” and no further"


def _is_latin(letter: str) -> bool:
    return letter.isascii() or "LATIN" in name(letter, "") or category(letter) == "Lm"


def _looks_foreign(words: list[str]) -> bool:
    plain = {word: _without_accents(word) for word in words}
    if not _ENGLISH.isdisjoint(plain.values()):
        return False
    surely = sum(word in _FOREIGN for word in plain.values())
    perhaps = sum(word in _FOREIGN_TOO for word in plain.values())
    accents = sum(word != simple for word, simple in plain.items())
    evidence = 2 * surely + perhaps + accents
    if surely and (surely + perhaps == len(plain) or evidence >= _ENOUGH_EVIDENCE):
        return True
    return accents >= _ENOUGH_ACCENTS and 2 * accents >= len(plain)


def _without_accents(word: str) -> str:
    letters = normalize("NFD", word.translate(_UNACCENTED))
    return "".join(letter for letter in letters if category(letter) != "Mn")
