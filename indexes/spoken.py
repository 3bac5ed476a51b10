"""Base codes of languages: variants and spoken varieties go to the language in which people write."""

from __future__ import annotations

# Members of ISO 639-3 macrolanguages and varieties of diglossia (spoken one way, written in the standard), as CLDR
# names them. Sources: SIL's ISO 639-3 macrolanguage table; Ethnologue's notes on written standards.
_WRITTEN_AS = {
    "ar": "aeb apc apd acm acq acw acx acy adf aec afb ajp apa arq ars ary arz ayl ayn shu ssh",
    "zh": "yue nan hak wuu gan hsn cjy cdo mnp cmn lzh",
    "de": "gsw bar swg ksh pfl vmf sxu wae",
    "no": "nb nn",
    "fil": "tl",
    "sq": "aln als",
    "az": "azb azj",
    "ff": "fuv fuf fuq ffm fub fue fui",
    "bik": "fbl bcl",
    "pa": "pnb lah",
    "ku": "kmr",
    "ms": "zsm",
    "fa": "prs pes",
    "nl": "vls zea",
    "it": "lmo vec nap scn lij pms",
    "ta": "taq",
    "ak": "tw fat",
    "lv": "ltg",
    "et": "vro",
    "he": "iw",
    "id": "in",
    "yi": "ji",
    "zgh": "tzm shi rif",
}
_BASE = {variety: base for base, varieties in _WRITTEN_AS.items() for variety in varieties.split()}


def base_language(identifier: str) -> str:
    """Fold a language tag to its base code: zh-Hant and yue to zh, nb to no, tl to fil, sr-Latn to sr."""
    language = identifier.replace("-", "_").partition("_")[0].casefold()
    return _BASE.get(language, language)
