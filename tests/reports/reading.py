"""How hard a text is to read: Flesch-Kincaid's grade in English, Szigriszt-Pazos' scale (INFLESZ) in Spanish.

Syllables are counted by vowel groups, which is within a few per cent of a dictionary over a page of text.

Kincaid, J. P. et al. (1975). Derivation of new readability formulas for Navy enlisted personnel. Research Branch Report
8-75. Barrio-Cantalejo, I. M. et al. (2008). Validacion de la Escala INFLESZ para evaluar la legibilidad de los textos
dirigidos a pacientes. An. Sist. Sanit. Navar. 31:135-152: 55 to 65 is normal, 65 to 80 fairly easy.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-zÁÉÍÓÚÜÑáéíóúüñ]+(?:['\u2019-][A-Za-zÁÉÍÓÚÜÑáéíóúüñ]+)*|\d[\d,.]*%?")
_SENTENCE = re.compile(r"[.?!]+(?=\s|$)|\n")


def words_and_sentences(text: str) -> tuple[list[str], int]:
    """Return the words of a text, and how many sentences it has; a line of its own is one."""
    words = _WORD.findall(text)
    return words, sum(bool(_WORD.search(part)) for part in _SENTENCE.split(text))


def english_syllables(word: str) -> int:
    """Count vowel groups, without a silent e at the end."""
    word = re.sub(r"[^a-z]", "", word.lower())
    found = len(re.findall(r"[aeiouy]+", word))
    silent = re.search(r"[^aeiouy](?:e|es|ed)$", word) and not re.search(r"(?:[td]ed|[^aeiouy]le|[cgsxz]es)$", word)
    return max(found - bool(silent), 1)


def spanish_syllables(word: str) -> int:
    """Count vowel nuclei: two strong vowels, or a weak one with an accent, are two."""
    word = re.sub(r"qu|gu(?=[eiéí])", "k", word.lower())
    return max(len(re.findall(r"[aeoáéóíú]|(?<![aeoáéó])[iuü](?![aeoáéóiu])|(?<=[aeo])y$", word)), 1)


def grade(text: str) -> float:
    """Return Flesch and Kincaid's grade of an English text: years of school.

    Examples
    --------
    >>> round(grade("The cat sat on the mat."), 2)
    -1.45
    """
    words, sentences = words_and_sentences(text)
    return 0.39 * len(words) / sentences + 11.8 * sum(map(english_syllables, words)) / len(words) - 15.59


def inflesz(text: str) -> float:
    """Return Szigriszt and Pazos' ease of a Spanish text: 0 (hardest) to 100.

    Examples
    --------
    >>> round(inflesz("El gato come."), 1)
    100.0
    """
    words, sentences = words_and_sentences(text)
    return 206.835 - 62.3 * sum(map(spanish_syllables, words)) / len(words) - len(words) / sentences
