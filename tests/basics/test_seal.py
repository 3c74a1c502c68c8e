"""The seal: whatever is changed of a mark or of what it stands on, it is not sealed any more."""

from __future__ import annotations

import pytest

from evalkit.errors import DisclosureError
from evalkit.seal import ENVIRONMENT, VERDICTS, WITHOUT_ESTIMATE, Sealer, is_complete, is_sealed, new_key

MARK = {"kind": "cox", "estimate": "0123456789ab", "verdict": "partly"}
TEXT = {"text/markdown": "At most 40%.", "text/html": "<b>40</b>"}


def test_keys_are_new_and_long() -> None:
    keys = {new_key() for _ in range(20)}
    assert len(keys) == 20 and {len(bytes.fromhex(key)) for key in keys} == {32}


def test_outputs_are_numbered_and_sealed() -> None:
    sealer = Sealer("secret")
    one, two = sealer.sealed(MARK, TEXT), sealer.sealed(MARK, TEXT)
    assert {k: v for k, v in one.items() if k != "seal"} == {**MARK, "number": 1}
    assert two["number"] == 2 and one["seal"] != two["seal"] and len(one["seal"]) == 64
    assert is_sealed("secret", one, TEXT) and is_sealed("secret", two, TEXT)
    assert is_sealed(
        "secret", one, {"text/markdown": ["At most ", "40%."], "text/html": "<b>40</b>"}
    )  # as nbformat splits


CHANGED = {
    "another key": ("public", {}, TEXT),
    "no key": ("", {}, TEXT),
    "number": ("secret", {"number": 2}, TEXT),
    "kind": ("secret", {"kind": "funnel"}, TEXT),
    "verdict": ("secret", {"verdict": "released"}, TEXT),
    "something more": ("secret", {"more": 1}, TEXT),
    "no seal": ("secret", {"seal": None}, TEXT),
    "a seal that is no text": ("secret", {"seal": 5}, TEXT),
    "another seal": ("secret", {"seal": "0" * 64}, TEXT),
    "content": ("secret", {}, {**TEXT, "text/markdown": "At most 41%."}),
    "content taken away": ("secret", {}, {"text/markdown": "At most 40%."}),
    "content put beside": ("secret", {}, {**TEXT, "image/png": "x"}),
    "content under another name": (
        "secret",
        {},
        {"text/markdown": TEXT["text/html"], "text/html": TEXT["text/markdown"]},
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_is_changed_is_not_sealed(name: str) -> None:
    key, mark, content = CHANGED[name]
    assert not is_sealed(key, {**Sealer("secret").sealed(MARK, TEXT), **mark}, content)


def test_the_key_is_taken_from_the_environment_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "secret")
    sealed = Sealer().sealed(MARK, TEXT)
    assert is_sealed("secret", sealed, TEXT)
    assert Sealer().sealed(MARK, TEXT) == {**MARK, "number": 1}  # none is left: a mark without a seal


def test_an_incomplete_mark_is_not_sealed_even_with_the_right_digest() -> None:
    from evalkit.seal import _digest

    mark = {"kind": "cox"}
    assert not is_sealed("secret", {**mark, "seal": _digest("secret", mark, TEXT)}, TEXT)
    with pytest.raises(DisclosureError) as caught:
        Sealer("secret").sealed(mark, TEXT)
    assert str(caught.value) == "an output of kind 'cox' names no estimate with its verdict; use report.show"
    with pytest.raises(DisclosureError, match="kind ''"):
        Sealer("secret").sealed({}, TEXT)


@pytest.mark.parametrize("verdict", sorted(VERDICTS))
def test_complete_with_an_estimate(verdict: str) -> None:
    assert {"released", "partly", "withheld"} == VERDICTS
    assert is_complete({**MARK, "verdict": verdict})


@pytest.mark.parametrize("kind", sorted(WITHOUT_ESTIMATE))
def test_complete_without_one(kind: str) -> None:
    assert is_complete({"kind": kind})
    assert not is_complete({"kind": kind, "estimate": "0123456789ab"})
    assert not is_complete({"kind": kind, "verdict": "released"})


def test_only_what_the_protocol_says_needs_no_estimate() -> None:
    assert {"about", "absent", "cover", "deviations", "dictionary", "excuses", "groups", "methods", "provenance", "reading", "restatements"} == WITHOUT_ESTIMATE  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"estimate": "0123456789a"}, {"estimate": "0123456789abc"}, {"estimate": "0123456789AB"}, {"estimate": None}, {"kind": ""},
     {"kind": None}, {"verdict": "allowed"}, {"verdict": None}, {"estimate": None, "verdict": None}],
)  # fmt: skip
def test_not_complete(change: dict[str, object]) -> None:
    assert not is_complete({**MARK, **change})
