"""Mentions: phones, e-mails, wallets, web addresses and accounts that stand in running text.

What looks like one is a mention only when it cleans to its value type, so a
wallet has its checksum verified and a phone its length and country code.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from importers.assembly import Assembler, Found, Item
from importers.delivery import Marked
from ontology.errors import InvalidValue
from ontology.values import VALUE_TYPES

# More than this on one page is a list of links, not a contact.
MAX_MENTIONS = 50

# An international number as people write it: a plus sign or 00, and 7 to 15 digits with separators.
_PHONE = re.compile(r"(?<![\w+])(?:\+|00)[1-9](?:[ ().\-/]{0,2}\d){6,14}(?!\d)")
_PHONE_LINK = re.compile(r"(?:wa\.me/|api\.whatsapp\.com/send\?phone=)\+?(\d{7,15})(?!\d)")
_EMAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![\w@-])")
_URL = re.compile(r"(?:https?://|(?<![\w.])(?=[a-z2-7]{56}\.onion))[^\s<>\"'\\^`{|}]{4,2000}", re.IGNORECASE)
_WALLET = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"0x[0-9a-fA-F]{40}|(?:bc|ltc|addr)1[02-9ac-hj-np-z]{20,100}"
    r"|[48][1-9A-HJ-NP-Za-km-z]{94}|[13LMDXTtr][1-9A-HJ-NP-Za-km-z]{25,34}"
    r")(?![0-9A-Za-z])"
)
# Service, what a text must hold before it is worth searching, and how a handle there is written.
_ACCOUNTS = (
    ("telegram", ".me/", re.compile(r"(?<![\w.])(?:t|telegram)\.me/(?:s/)?([A-Za-z]\w{4,31})(?![\w+])")),
    ("telegram", "@", re.compile(r"\b(?:telegram|tg)\b\s{0,4}[:\-]?\s{0,4}@([A-Za-z]\w{4,31})", re.IGNORECASE)),
    ("instagram", "instagram.com/", re.compile(r"(?<!\w)instagram\.com/([A-Za-z0-9_.]{1,30})(?![\w.])")),
    ("vk", "vk.com/", re.compile(r"(?<![\w])vk\.com/([A-Za-z][\w.]{4,31})")),
    ("tiktok", "tiktok.com/", re.compile(r"(?<!\w)tiktok\.com/@([\w.]{2,24})")),
)
# Paths of those services that are not somebody's handle.
_NOT_HANDLES = frozenset(
    {"joinchat", "share", "addstickers", "explore", "reel", "reels", "stories", "accounts", "proxy"}
)
_TRAILING = ".,;:!?)]}>»”’"


class Mention(NamedTuple):
    """Something named in a text: its schema, what tells it from others there, and its values."""

    schema: str
    key: str
    found: tuple[Found, ...]


def find_mentions(text: str, kinds: Collection[str]) -> list[Mention]:
    """Return each distinct mention of these kinds once, by kind and then by place in the text."""
    mentions: dict[str, Mention] = {}
    for kind, find in _FINDERS.items():
        if kind in kinds:
            found = 0
            for mention in find(text):
                if mention.key not in mentions and found < MAX_MENTIONS:
                    mentions[mention.key] = mention
                    found += 1
    return list(mentions.values())


def make_mentions(
    assembler: Assembler,
    key: str,
    text: str,
    *,
    kinds: Collection[str],
    where: str,
    said: Mapping[str, Any],
    beside: tuple[Marked, ...] = (),
    part: str = "text",
) -> Iterator[Item]:
    """Yield a record for each mention in the text of a record with this source key, and the link to it.

    Each is a thing of its own, named by its place in the record's `part`: that
    two texts name one number is seen by who sees the number. `beside` are those
    whose labels they take in place of the delivery's.
    """
    counted: Counter[str] = Counter()
    for mention in find_mentions(text, kinds):
        place = f"{key}/{part}/{mention.schema}/{counted[mention.schema]}"
        counted[mention.schema] += 1
        record = yield from assembler.make_record(
            mention.schema, place, mention.found, where=where, said=said, beside=beside
        )
        if record:
            schema = "LinksTo" if mention.schema == "URL" else "Mentions"
            ends = (*beside, Marked(record.schema, record.label)) if beside else ()
            yield from assembler.make_link(schema, key, place, key=place, where=where, said=said, beside=ends)


def _find_phones(text: str) -> Iterator[Mention]:
    candidates = [match.group() for match in _PHONE.finditer(text)]
    candidates += [f"+{match.group(1)}" for match in _PHONE_LINK.finditer(text)]
    yield from _make("Phone", "number", "phone", candidates)


def _find_emails(text: str) -> Iterator[Mention]:
    yield from _make("Email", "address", "email", _EMAIL.findall(text) if "@" in text else ())


def _find_wallets(text: str) -> Iterator[Mention]:
    yield from _make("CryptoWallet", "publicKey", "wallet", _WALLET.findall(text))


def _find_urls(text: str) -> Iterator[Mention]:
    candidates = (match.group().rstrip(_TRAILING) for match in _URL.finditer(text))
    yield from _make("URL", "url", "url", (c if "://" in c else f"http://{c}" for c in candidates))


def _find_accounts(text: str) -> Iterator[Mention]:
    for service, hint, pattern in _ACCOUNTS:
        for name in pattern.findall(text) if hint in text else ():
            handle = _clean("username", name.rstrip("."))
            if handle and handle not in _NOT_HANDLES:
                found = (Found("username", "text", handle), Found("service", "text", service))
                yield Mention("UserAccount", f"UserAccount/{service}/{handle}", found)


def _make(schema: str, name: str, value_type: str, candidates: Iterable[str]) -> Iterator[Mention]:
    for candidate in candidates:
        value = _clean(value_type, candidate)
        if value is not None:
            yield Mention(schema, f"{schema}/{value}", (Found(name, "text", value),))


def _clean(value_type: str, candidate: str) -> str | None:
    try:
        return VALUE_TYPES[value_type].clean(candidate)
    except InvalidValue:
        return None


_FINDERS: Mapping[str, Callable[[str], Iterator[Mention]]] = {
    "phone": _find_phones,
    "email": _find_emails,
    "wallet": _find_wallets,
    "url": _find_urls,
    "account": _find_accounts,
}
