"""Knows how people ask in four languages: the phrases that lead to a command, before its words.

Phrases are written folded: in lower case, without accents and marks, with a space behind each
apostrophe, as `list_tokens` reads a text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from bot.domain.typography import fold_word

MAX_TOKENS = 16
"""No phrase is longer, with the greeting before it."""

_APOSTROPHES = "'\u2018\u2019"
_TOKEN = re.compile(r"[^\s:\uff1a/\\'\u2018\u2019]+(?:['\u2018\u2019](?=\w))?")


@dataclass(frozen=True, slots=True)
class Token:
    """One folded word of a text, and where it ends there."""

    key: str
    end: int


def list_tokens(text: str) -> list[Token]:
    """Return the first words of a text folded; marks that stand alone are left out."""
    return list(islice(_iter_tokens(text), MAX_TOKENS))


def _iter_tokens(text: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(text):
        key = fold_word(found[0])
        if key:
            yield Token(f"{key}'" if found[0][-1] in _APOSTROPHES else key, found.end())


@dataclass(frozen=True)
class Phrases:
    """The ways to begin a question of one kind: each takes one wording of every group."""

    ways: tuple[tuple[str, ...], ...]

    def match(self, tokens: list[Token]) -> int:
        """Return where the longest of these phrases ends in the text; 0 if none begins it.

        A greeting may stand before it.
        """
        said = " ".join(token.key for token in tokens) + " "
        greeted = _compile(_GREETINGS).match(said)
        start = greeted.end() if greeted else 0
        first = said[start:].partition(" ")[0]
        found = (
            _compile(way).match(said, start) for way in self.ways if first in _first_words(way)
        )
        words = max((said.count(" ", 0, m.end()) for m in found if m), default=0)
        return tokens[words - 1].end if words else 0


def is_greeting(tokens: list[Token]) -> bool:
    """Return whether the text says hello and nothing else, or has no word at all («👋»)."""
    words = [token.key for token in tokens if any(map(str.isalnum, token.key))]
    return not words or _compile(_GREETINGS).fullmatch(" ".join(words) + " ") is not None


@cache
def _first_words(groups: tuple[str, ...]) -> frozenset[str]:
    """Return the words with which one wording of each group can begin; most texts have another."""
    found = set[str]()
    for group in groups:
        ways = group.split("|")
        found.update(way.partition(" ")[0] for way in ways)
        if "-" not in ways:
            break
    return frozenset(found)


@cache
def _compile(groups: tuple[str, ...]) -> re.Pattern[str]:
    """Compile the phrases of one wording of each group; «-» stands for none."""
    parts = []
    for group in groups:
        ways = sorted(group.split("|"), key=len, reverse=True)
        spelled = "|".join(re.escape(way) + " " for way in ways if way != "-")
        parts.append(f"(?:{spelled}){'?' if '-' in ways else ''}")
    return re.compile("".join(parts))


_GREETINGS = (
    "hi|hello|hey|hola|buenas|oi|ola|bonjour|salut|please|por favor|s' il vous plait|s' il te plait"
    "|hi there|hello there|hey there|buenos dias|buenas tardes|bom dia|boa tarde|pls",
    "please|por favor|-",
)
_EN_FIND = (
    "do you know|does anyone know|can you tell me|could you tell me|tell me|show me|help me find"
    "|i would like to know|i' d like to know|i want to know|find me|find|-"
)
_EN_WHO = (
    "who|who here|who else|who all|anyone here|anybody here|does anyone here|does anybody here"
    "|anyone|anyone who|anybody|anybody who|someone|someone who"
    "|somebody|somebody who|people|people who|those who|does anyone|does anybody|does someone"
    "|has anyone|is anyone|is anybody|is there anyone who|is there anybody who"
    "|is there someone who"
    "|are there people who|which cities|what cities|which city|which people|who in the community"
    "|i need someone who|i need somebody who|i am looking for someone who"
    "|i am looking for people who"
    "|i' m looking for someone who|i' m looking for people who|looking for someone who"
    "|looking for people who|looking for somebody who|who can i ask|whom can i ask|who should i ask"
    "|who do i ask|who can i talk to|who should i talk to|who could i talk to|i need someone"
)
_EN_KNOWS = (
    "knows|know|knows something|know something|works|work|working|is working|are working|worked"
    "|has worked|have worked|does|do|has experience|have experience|with experience|has done"
    "|have done|done|can help|can help me|can help us|could help|could help me|could help us"
    "|can tell me|deals|deal|handles|handle|manages|manage|uses|use|understands|understand"
    "|is good|are good|is responsible|is in charge|is an expert|are experts|specializes|specialises"
    "|-"
)
_EN_ABOUT = "about|on|with|in|at|for|of|a lot about|more about|anything about|something about"
_ES_FIND = (
    "sabes|sabe usted|me puedes decir|puedes decirme|dime|muestrame|ayudame a encontrar"
    "|quisiera saber|quiero saber|-"
)
_ES_WHO = (
    "quien|quienes|quien mas|alguien|alguien que|hay alguien que|gente que|personas que"
    "|a quien|a quien puedo|con quien|con quien puedo|que ciudades|que ciudad|que personas|quien me"
    "|quien nos|busco a alguien que|busco alguien que|necesito a alguien que|necesito alguien que"
    "|necesito a alguien|busco a alguien"
)
_ES_KNOWS = (
    "sabe|saben|sepa|sepan|trabaja|trabajan|trabaje|conoce|conocen|conozca|se ocupa|se ocupan"
    "|se encarga|se encargan|se dedica|se dedican|entiende|entienden|puede ayudar|puede ayudarme"
    "|puede ayudarnos|me puede ayudar|nos puede ayudar|puede orientarme|tiene experiencia"
    "|tienen experiencia|tenga experiencia|con experiencia|hace|hacen|lleva|llevan|maneja|manejan"
    "|domina|usa|usan|ha trabajado|ha hecho|ayuda|es experto|es experta|esta trabajando|esta"
    "|puedo preguntar|preguntar|le pregunto|pregunto|hablar|hablo|puedo hablar|-"
)
_ES_ABOUT = "de|del|sobre|con|en|a|acerca de|por|algo de|algo sobre|de la|de los|de las|del tema de"
_PT_FIND = (
    "sabe|voce sabe|pode me dizer|me diga|diga me|me mostre|mostre|me ajude a encontrar"
    "|queria saber|quero saber|gostaria de saber|-"
)
_PT_WHO = (
    "quem|quem mais|quem aqui|alguem|alguem que|alguem ai|tem alguem que|ha alguem que"
    "|existe alguem que|gente que|pessoas que|com quem|com quem posso|para quem|a quem"
    "|quais cidades|que cidades|que cidade|qual cidade|procuro alguem que"
    "|preciso de alguem que|estou procurando alguem que|quem me|quem nos"
    "|preciso de alguem|procuro alguem"
)
_PT_KNOWS = (
    "sabe|sabem|saiba|trabalha|trabalham|trabalhe|conhece|conhecem|conheca|entende|entendem"
    "|entenda|cuida|cuidam|se ocupa|e responsavel|mexe|lida|lidam|pode ajudar|pode me ajudar"
    "|pode nos ajudar|poderia ajudar|pode ajudar me|tem experiencia|tenha experiencia"
    "|com experiencia|faz|fazem|usa|usam|domina|ja trabalhou|ja fez|e especialista"
    "|esta trabalhando|trata|ajuda"
    "|posso falar|falar|falo|posso perguntar|pergunto|-"
)
_PT_ABOUT = (
    "de|do|da|dos|das|sobre|com|em|no|na|nos|nas|a respeito de|acerca de|por|pelo|pela|algo de"
    "|algo sobre"
)
_FR_FIND = (
    "savez-vous|sais-tu|tu sais|vous savez|peux-tu me dire|pouvez-vous me dire|dis-moi|dites-moi"
    "|montre-moi|montrez-moi|aide-moi a trouver|aidez-moi a trouver|je voudrais savoir"
    "|je veux savoir|est-ce que|-"
)
_FR_WHO = (
    "qui|qui d' autre|qui est-ce qui|qui ici|quelqu' un|quelqu' un qui|y a-t-il quelqu' un qui"
    "|il y a quelqu' un qui|des gens qui|les gens qui|ceux qui|a qui|avec qui|quelles villes"
    "|quelle ville|je cherche quelqu' un qui|je cherche des gens qui|j' ai besoin de quelqu' un qui"
    "|est-ce que quelqu' un|qui peut|qui pourrait|qui m'|je cherche quelqu' un"
)
_FR_KNOWS = (
    "sait|savent|sache|travaille|travaillent|connait|connaissent|connaisse|s' occupe|s' occupent"
    "|s' y connait|comprend|peut aider|peut m' aider|peut nous aider|pourrait m' aider|m' aider"
    "|nous aider|aider|aide|a de l' experience|ont de l' experience|ait de l' experience"
    "|a une experience|fait|font|gere|gerent|maitrise|utilise|utilisent|a travaille|a fait"
    "|est responsable|est expert|est experte|est en charge|est charge|s' interesse"
    "|puis-je parler|parler|demander|puis-je demander|je peux parler|je peux demander|-"
)
_FR_ABOUT = (
    "de|du|des|d'|de la|de l'|sur|en|avec|dans|au|aux|a|a la|a l'|les|le|la|l'|au sujet de"
    "|a propos de|a propos du|quelque chose sur|quelque chose a"
)
_EN_THE, _ES_THE, _PT_THE = "the|our|-", "la|el|los|las|lo|nuestro|-", "o|a|os|as|-"
_FR_THE = "le|la|les|l'|-"

WHO_DOES = Phrases(
    (
        (_EN_FIND, _EN_WHO, _EN_KNOWS.removesuffix("|-"), _EN_ABOUT + "|-", _EN_THE),
        (_EN_FIND, _EN_WHO, _EN_ABOUT, _EN_THE),
        (
            "i need help with|i need some help with|we need help with|i need help on|help with"
            "|can you help me with|i am looking for help with|looking for help with|experts in"
            "|experts on|expert in|expert on|an expert in|an expert on|specialists in"
            "|find experts in"
            "|i have a question about|i have questions about|a question about|question about"
            "|search for|looking for|i am looking for|i' m looking for|find people for",
            _EN_THE,
        ),
        (_ES_FIND, _ES_WHO, _ES_KNOWS.removesuffix("|-"), _ES_ABOUT + "|-", _ES_THE),
        (_ES_FIND, _ES_WHO, _ES_ABOUT, _ES_THE),
        (
            "necesito ayuda|necesitamos ayuda|ayuda|ayudame|me puedes ayudar|puedes ayudarme"
            "|busco ayuda|expertos|expertas|experto|experta|especialistas|especialista"
            "|tengo una pregunta|una pregunta|pregunta|busco informacion",
            "con|en|sobre|de|acerca de",
            _ES_THE,
        ),
        (_PT_FIND, _PT_WHO, _PT_KNOWS.removesuffix("|-"), _PT_ABOUT + "|-", _PT_THE),
        (_PT_FIND, _PT_WHO, _PT_ABOUT, _PT_THE),
        (
            "preciso de ajuda|precisamos de ajuda|ajuda|me ajuda|pode me ajudar|voce pode me ajudar"
            "|especialistas|especialista|tenho uma duvida|tenho uma pergunta|uma pergunta|duvida",
            _PT_ABOUT,
            _PT_THE,
        ),
        (_FR_FIND, _FR_WHO, _FR_KNOWS.removesuffix("|-"), _FR_ABOUT + "|-", _FR_THE),
        (_FR_FIND, _FR_WHO, "sur|avec|pour|au sujet de|a propos de", _FR_THE),
        (
            "j' ai besoin d' aide|besoin d' aide|nous avons besoin d' aide|aide|aide-moi|aidez-moi"
            "|peux-tu m' aider|pouvez-vous m' aider|experts|expert|experte|specialistes|specialiste"
            "|j' ai une question|une question|question",
            "avec|sur|pour|en|a propos de|au sujet de|de|du|des|d'",
            _FR_THE,
        ),
    )
)
"""«Who knows about …»: the topic follows."""

WHO_IS = Phrases(
    (
        (_EN_FIND, "who is|who' s|whos|who are|who is this|do you know a|profile of"),
        (_ES_FIND, "quien es|quien era|conoces a|perfil de"),
        (_PT_FIND, "quem e|voce conhece|perfil de|perfil do|perfil da"),
        (_FR_FIND, "qui est|qui c' est|c' est qui|tu connais|vous connaissez"),
        ("profil de|le profil de|profil d'",),
    )
)
"""«Who is …»: a person follows."""

CITY = Phrases(
    (
        (_EN_FIND, "what about the city of|the city of|where is|who is in|who' s in"),
        (_ES_FIND, "la ciudad de|ciudad de|donde esta|donde queda|quien esta en"),
        (_PT_FIND, "a cidade de|cidade de|onde fica|quem esta em|a cidade do"),
        (_FR_FIND, "la ville de|ville de|ou est|ou se trouve|qui est a"),
    )
)
"""«Where is …»: a city follows."""

TOPICS = Phrases(
    (
        (_EN_FIND, "what topics are there|what topics|which topics|list of topics"),
        (_ES_FIND, "que temas hay|que temas|cuales son los temas|lista de temas"),
        (_PT_FIND, "que temas ha|quais temas|quais sao os temas|lista de temas"),
        (_FR_FIND, "quels sujets|quels themes|quels sont les sujets|liste des sujets"),
    )
)
"""«What topics are there»."""

HELP = Phrases(
    (
        (
            "what can you do|what do you do|what can i do here|what can i ask|what can i ask you"
            "|how does this work|how do you work|how does it work|i need help|help me|commands",
        ),
        (
            "que puedes hacer|que haces|que sabes hacer|que puedo hacer|que puedo preguntar"
            "|como funciona|como funciona esto|necesito ayuda|ayudame|comandos",
        ),
        (
            "o que voce faz|o que voce pode fazer|o que posso fazer|o que posso perguntar"
            "|como funciona|como isso funciona|preciso de ajuda|me ajude|me ajuda|comandos",
        ),
        (
            "que peux-tu faire|que pouvez-vous faire|que fais-tu|que puis-je demander"
            "|comment ca marche|comment ca fonctionne|j' ai besoin d' aide|aide-moi|aidez-moi"
            "|commandes",
        ),
    )
)
"""«What can you do»."""

ABOUT = Phrases(
    (
        (
            "tell me about|tell me more about|what do you know about|what about|how about|and"
            "|i want to learn about|i would like to learn about|show me|what is|what' s|info on"
            "|information about|information on|anything about|anything on",
            _EN_THE,
        ),
        (
            "hablame de|cuentame de|cuentame sobre|que sabes de|que sabes sobre|que hay de|y de|y"
            "|quiero aprender sobre|que es|informacion sobre|informacion de|muestrame",
            _ES_THE,
        ),
        (
            "fale sobre|fale de|me fale sobre|me conte sobre|o que voce sabe sobre|quero aprender"
            " sobre|o que e|informacoes sobre|mostre|e sobre",
            _PT_THE,
        ),
        (
            "parle-moi de|parlez-moi de|parle-moi du|parle-moi des|que sais-tu de|que sais-tu sur"
            "|que savez-vous sur|et|qu' est-ce que|je veux apprendre|informations sur|montre-moi",
            _FR_THE,
        ),
    )
)
"""«Tell me about …»: a topic, a person or a city follows."""
