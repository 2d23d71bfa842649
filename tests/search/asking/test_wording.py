"""A hint is silent rather than wrong."""

import pytest

from search.asking.wording import notes_on, notes_on_all

ENGLISH = """
person cooking pasta
a dog runs on a beach
red car
dog
007
2024
birthday 2019
the who live at leeds
Los Angeles skyline at night
Las Vegas strip
La Paz from above
El Capitan climb
Rio de Janeiro carnival
playa del carmen resort
San Juan de la Cruz church
crème de la crème
pas de deux
chili con carne
café con leche
fleur de lis tattoo
coup de grâce
je ne sais quoi
déjà vu
Cirque du Soleil
Tour de France finish
le mans 24 hours
Big Sur coastline
El Niño storm damage
jalapeño piñata party
Beyoncé concert
São Paulo street
naïve résumé café
Zürich lake steamer
smørrebrød
Björk singing
Ludwig van Beethoven statue
mies van der rohe pavilion
Leonardo di Caprio
Uma Thurman fight
una stubbs
che guevara poster
Sturm und Drang
die hard
die casting machine
a man dies
Hans and Franz
frau holle
kindergarten
mit campus tour
un soldiers patrol
UN headquarters
EST time zone clock
dans birthday
les miserables on stage
qui gon jinn
uno cards
yin yang
femme fatale
enfant terrible
half pipe vert ramp
a la carte menu
la la land
bar b que
que sera sera
van life
der spiegel cover
das boot
no smoking sign
als ice bucket challenge
do you like it
me at the zoo
in the mood
man in blue shirt walks his dog
womn ridng a bycicle
teh cat jmups of teh tabel
somone playng gitar
pepole danceing
skiing downhill fast
snowboarder falls
kids opening presents under the christmas tree
grandma blowing out candles
someone says "bonjour"
a sign that reads 出口
the letter π on a blackboard
sunset
plane landing
drone shot of a forest
time lapse clouds
timelapse
goal
Messi goal
Ronaldo free kick
Krzysztof and Małgorzata at the lake
Łukasz fishing
Nguyễn family dinner
Jürgen Klopp celebrating
François Hollande speech
Agnès Varda
Pelé
Señor Frogs
Müller & Söhne
tacos al pastor
vin diesel
Sacré-Cœur at dusk
Champs-Élysées parade
Schönbrunn palace garden
Ærø ferry
Ile de la Cité
rue de Rivoli
casa blanca
Casablanca
maison martin margiela show
Nacho Libre
Santa Claus
gato barbieri
agua caliente casino
mangia restaurant
kat and nina on the porch
dos equis
por favor
al pacino
om nom nom
i love lucy
a b c
black & white
4k footage of new york
gopro mtb
POV: surfing
who let the dogs out
let it go
up
blade runner
Blåkläder jacket
yang ming container ship
con artist
sur la table
le chat noir poster
hombre
""".strip().splitlines()
FOREIGN = """
un círculo azul que baja
perro corriendo en la playa
perro
una mujer cocinando
niños jugando en el agua
persona bailando con perros
ein Hund läuft am Strand
ein roter Kreis
eine Frau kocht Nudeln
zwei Kinder spielen im Schnee
Hund
un chien court sur la plage
une femme qui danse
des enfants jouent dans la neige
un chien noir
il cane corre sulla spiaggia
una ragazza mangia la pasta
um cachorro na praia
uma pessoa cozinhando
een hond rent op het strand
vrouw kookt eten
en hund springer på stranden
pies biegnie po plaży
kobieta gotuje
sahilde koşan bir köpek
một con chó chạy trên bãi biển
seorang anak bermain di pantai
koira juoksee rannalla
""".strip().splitlines()
OTHER_LETTERS = (
    "собака бежит по пляжу",
    "犬が浜辺を走る",
    "狗",
    "كلب يجري على الشاطئ",
    "강아지",
    "σκύλος στην παραλία",
    "कुत्ता",
    "สุนัข",
    "犬 dog 浜辺を走る",
)
NO_WORDS = ("???", "🐶", "👨‍👩‍👧", "…", "-", "!!! 🎬 ???", "\udcff", "\u200d")
NOTHING_TO_SEE = ("the", "of the and", "what is it", "Who are you?", "it")


@pytest.mark.parametrize("sentence", ENGLISH)
def test_english_sentences_have_no_note(sentence: str) -> None:
    assert notes_on(sentence) == ()
    assert notes_on(sentence.lower()) == ()


@pytest.mark.parametrize("sentence", FOREIGN)
def test_other_languages_are_recognised_by_their_commonest_words(sentence: str) -> None:
    (said,) = notes_on(sentence)
    assert "does not look like English" in said
    assert notes_on(sentence.upper()) == (said,)


@pytest.mark.parametrize("sentence", OTHER_LETTERS)
def test_other_scripts_are_noted(sentence: str) -> None:
    (said,) = notes_on(sentence)
    assert "Latin letters" in said


@pytest.mark.parametrize("sentence", NO_WORDS)
def test_a_sentence_without_words_is_noted(sentence: str) -> None:
    (said,) = notes_on(sentence)
    assert "no words" in said


@pytest.mark.parametrize("sentence", NOTHING_TO_SEE)
def test_words_that_name_nothing_are_noted(sentence: str) -> None:
    (said,) = notes_on(sentence)
    assert "names nothing" in said


def test_where_a_sentence_is_cut_off_is_quoted() -> None:
    sentence = "a man in a long coat walks along the river"
    said = notes_on(sentence, read=sentence.index(" along"))[0]
    assert "“… a long coat walks”" in said
    assert len(notes_on("x" * 10_000, read=5_000)[0]) < 200


@pytest.mark.parametrize(
    "sentence", ["a dog without a leash", "No people", "it isn't raining", "nobody is there"]
)
def test_words_that_negate_get_a_hint(sentence):
    (note,) = notes_on_all([sentence], letters_read=lambda _: None)
    assert "--not" in note


def test_of_several_sentences_each_note_says_which():
    notes = notes_on_all(["a dog", "no people", "wherever notes are north"], letters_read=len)
    assert [note for note in notes if "--not" in note] == [
        "“no people”: the model does not understand “no”; what is not wanted is a sentence of its"
        " own: --not TEXT"
    ]
    assert len(notes) == 4  # each is cut off as well
