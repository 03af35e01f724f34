"""Value types: how the values of properties are cleaned, compared, masked and generalised."""

from collections.abc import Mapping
from types import MappingProxyType

from ontology.values.base import ValueType
from ontology.values.boolean import BOOLEAN
from ontology.values.code import CODE
from ontology.values.country import COUNTRY
from ontology.values.currency import CURRENCY
from ontology.values.date import DATE
from ontology.values.domain import DOMAIN
from ontology.values.email import EMAIL
from ontology.values.gender import GENDER
from ontology.values.hash import HASH
from ontology.values.iban import IBAN
from ontology.values.identifier import IDENTIFIER
from ontology.values.language import LANGUAGE
from ontology.values.latitude import LATITUDE
from ontology.values.longitude import LONGITUDE
from ontology.values.name import NAME
from ontology.values.number import NUMBER
from ontology.values.phone import PHONE
from ontology.values.place import PLACE
from ontology.values.plate import PLATE
from ontology.values.text import TEXT
from ontology.values.transaction_hash import TRANSACTION_HASH
from ontology.values.url import URL
from ontology.values.username import USERNAME
from ontology.values.wallet import WALLET

__all__ = ["VALUE_TYPES", "ValueType"]

VALUE_TYPES: Mapping[str, ValueType] = MappingProxyType(
    {
        value_type.name: value_type
        for value_type in (
            BOOLEAN, CODE, COUNTRY, CURRENCY, DATE, DOMAIN, EMAIL, GENDER, HASH, IBAN, IDENTIFIER, LANGUAGE, LATITUDE,
            LONGITUDE, NAME, NUMBER, PHONE, PLACE, PLATE, TEXT, TRANSACTION_HASH, URL, USERNAME, WALLET,
        )
    }
)  # fmt: skip
