"""Countries: ISO 3166-1 two-letter codes in lower case, and the few that history needs."""

import re
from collections.abc import Iterator
from functools import cache

from ontology.errors import InvalidValue
from ontology.values.base import ValueType
from ontology.values.cldr import (
    NAME_LOCALES,
    get_territory_name,
    list_territory_names,
    load_territory_aliases,
)
from ontology.values.name import fold_name
from ontology.values.raw import describe, tidy

LONGEST = 100

_EXPECTED = "a country (ISO 3166 code or name)"

# Regions of the United Nations (M49), which list the officially assigned codes.
_REGIONS = {
    "015": "dz eg eh ly ma sd tn",
    "014": "bi dj er et io ke km mg mu mw mz re rw sc so ss tf tz ug yt zm zw",
    "017": "ao cd cf cg cm ga gq st td",
    "018": "bw ls na sz za",
    "011": "bf bj ci cv gh gm gn gw lr ml mr ne ng sh sl sn tg",
    "029": "ag ai aw bb bl bq bs cu cw dm do gd gp ht jm kn ky lc mf mq ms pr sx tc tt vc vg vi",
    "013": "bz cr gt hn mx ni pa sv",
    "005": "ar bo br bv cl co ec fk gf gs gy pe py sr uy ve",
    "021": "bm ca gl pm us",
    "143": "kg kz tj tm uz",
    "030": "cn hk jp kp kr mn mo tw",
    "035": "bn id kh la mm my ph sg th tl vn",
    "034": "af bd bt in ir lk mv np pk",
    "145": "ae am az bh cy ge il iq jo kw lb om ps qa sa sy tr ye",
    "151": "bg by cz hu md pl ro ru sk ua su",
    "154": "ax dk ee fi fo gb gg ie im is je lt lv no se sj",
    "039": "ad al ba es gi gr hr it me mk mt pt rs si sm va xk yu",
    "155": "at be ch de fr li lu mc nl dd",
    "053": "au cc cx hm nf nz",
    "054": "fj nc pg sb vu",
    "057": "fm gu ki mh mp nr pw um",
    "061": "as ck nu pf pn tk to tv wf ws",
    "150": "eu cs",
    "001": "aq",
}
_REGION_OF = {code: region for region, codes in _REGIONS.items() for code in codes.split()}

# What sources write that neither ISO nor CLDR lists; withdrawn codes keep their own name here.
_OTHER_NAMES = {
    "uk": "gb", "el": "gr", "bu": "mm", "zr": "cd", "tp": "tl", "fx": "fr", "xkx": "xk", "xkk": "xk", "unk": "xk",
    "eur": "eu", "sun": "su", "ussr": "su", "soviet union": "su", "yug": "yu", "yugoslavia": "yu", "scg": "cs",
    "csk": "cs", "czechoslovakia": "cs", "serbia and montenegro": "cs", "ddr": "dd", "gdr": "dd",
    "east germany": "dd", "german democratic republic": "dd", "great britain": "gb", "england": "gb",
    "scotland": "gb", "wales": "gb", "northern ireland": "gb", "u k": "gb", "u s": "us", "u s a": "us",
    "united states of america": "us", "russian federation": "ru", "czech republic": "cz",
    "republic of moldova": "md", "moldova republic of": "md", "viet nam": "vn", "burma": "mm", "holland": "nl",
    "the netherlands": "nl", "ivory coast": "ci", "swaziland": "sz", "macedonia": "mk", "cape verde": "cv",
    "east timor": "tl", "hong kong": "hk", "macau": "mo", "macao": "mo", "palestine": "ps",
    "republic of korea": "kr", "korea republic of": "kr", "lao people s democratic republic": "la",
    "lao pdr": "la", "syrian arab republic": "sy", "islamic republic of iran": "ir", "iran islamic republic of": "ir",
    "united republic of tanzania": "tz", "tanzania united republic of": "tz", "brunei darussalam": "bn",
    "bolivia plurinational state of": "bo", "venezuela bolivarian republic of": "ve", "vatican": "va",
    "holy see": "va", "turkiye": "tr", "turkey": "tr", "drc": "cd", "democratic republic of the congo": "cd",
    "congo brazzaville": "cg", "republic of the congo": "cg", "the gambia": "gm", "the bahamas": "bs",
    "taiwan province of china": "tw", "people s republic of china": "cn", "republic of kosovo": "xk",
    "republic of north macedonia": "mk", "republic of serbia": "rs", "democratic people s republic of korea": "kp",
}  # fmt: skip
_SUBDIVISION = re.compile("([a-z]{2})-[a-z0-9]{1,4}")


def clean_country(raw: str) -> str:
    """Return the two-letter code; of a subdivision such as ``us-ny`` its country."""
    text = tidy(raw, expected=_EXPECTED, longest=LONGEST).lower()
    if text in _REGION_OF:
        return text
    subdivision = _SUBDIVISION.fullmatch(text)
    code = _load_names().get(subdivision[1] if subdivision else fold_name(text))
    if code is None:
        raise InvalidValue(_EXPECTED, describe(text))
    return code


def generalise_country(value: str) -> str | None:
    """Return the English name of the region of the world, such as ``Eastern Europe``."""
    return get_territory_name(_REGION_OF.get(value, ""))


@cache
def _load_names() -> dict[str, str]:
    names = _OTHER_NAMES | {code: code for code in _REGION_OF}
    for old, now in load_territory_aliases().items():
        if len(now) == 1 and now[0].lower() in _REGION_OF:
            names.setdefault(old.lower(), now[0].lower())
    for name, code in _iter_local_names():
        names.setdefault(name, code)
    return names


def _iter_local_names() -> Iterator[tuple[str, str]]:
    for locale in NAME_LOCALES:
        for name, code in list_territory_names(locale):
            folded = fold_name(name)
            if folded and code.lower() in _REGION_OF:
                yield folded, code.lower()


COUNTRY = ValueType(
    name="country",
    description="A country by its ISO 3166-1 two-letter code, in lower case.",
    clean=clean_country,
    generalise=generalise_country,
)
