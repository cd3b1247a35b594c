"""Secrets that stand elsewhere are fetched; what cannot be fetched is named with its remedy, never shown."""

from pathlib import Path

import pytest

from daemon.config import resolve
from daemon.config.problems import MistakeError
from daemon.config.resolve import Resolved, Surroundings
from daemon.hidden import HiddenMapping, Secret


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    (tmp_path / "key.txt").write_text("from-file\n")
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "coinw").write_text("from-credential")
    environ = {
        "KEY": "from-env",
        "EMPTY": "",
        "TOKEN": "1234:ab/cd",
        "URL": "tgram://123456789:AAabcdefghijklmn01/5",
        "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"),
    }
    return Surroundings(HiddenMapping(environ), tmp_path)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("env:KEY", "from-env"),
        ("file:key.txt", "from-file"),
        ("credential:coinw", "from-credential"),
        ("the-key-itself", "the-key-itself"),
    ],
)
def test_a_key_stands_in_four_places(written: str, text: str, around: Surroundings) -> None:
    """DESIGN §5: the environment, a file relative to the rules.toml, a systemd credential, or the text itself."""
    assert resolve.key(written, around).text == Secret(text)


def test_a_file_may_have_an_absolute_path(around: Surroundings) -> None:
    """An absolute path is not relative to the rules.toml."""
    assert resolve.key(f"file:{around.folder / 'key.txt'}", around).text == Secret("from-file")


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("env:NOPE", "the environment variable NOPE is not set; set it, or use file:PATH"),
        ("env:EMPTY", "the environment variable EMPTY is empty; set it, or use file:PATH"),
        ("env:a-b", "what follows env: is not the name of an environment variable"),
        ("file:nope.txt", "the file nope.txt does not exist; create it, or correct its name"),
        ("file:empty.txt", "the file empty.txt is empty; put the secret into it"),
        ("file:.", "the file . cannot be read; check what it is and who may read it"),
        ("credential:nope", "the credential nope does not exist; create it, or correct its name"),
        ("credential:../key.txt", "what follows credential: is not the name of a credential"),
        ("planted key", "holds a space or a character that no key has; copy the key again"),
        ("planted\nkey", "holds a space or a character that no key has; copy the key again"),
        ("plänted", "holds a space or a character that no key has; copy the key again"),
    ],
)
def test_what_cannot_be_fetched_is_explained(written: str, sentence: str, around: Surroundings) -> None:
    """The sentence names the reference and the remedy, and never the secret."""
    with pytest.raises(MistakeError) as caught:
        resolve.key(written, around)
    assert str(caught.value) == sentence


def test_credentials_exist_only_under_systemd(tmp_path: Path) -> None:
    """Without $CREDENTIALS_DIRECTORY the sentence says what else would do."""
    with pytest.raises(MistakeError) as caught:
        resolve.key("credential:coinw", Surroundings(HiddenMapping({}), tmp_path))
    assert str(caught.value) == "credential:coinw exists only in a service of systemd; use env:NAME or file:PATH"


def test_what_is_filled_into_a_url_is_percent_encoded(around: Surroundings) -> None:
    """DESIGN §5: a token with special characters does not break the URL; both its forms are hidden."""
    assert resolve.url("tgram://{env:TOKEN}/{file:key.txt}", around) == Resolved(
        Secret("tgram://1234%3Aab%2Fcd/from-file"),
        frozenset(map(Secret, ("1234:ab/cd", "1234%3Aab%2Fcd", "from-file"))),
    )


def test_a_whole_reference_is_taken_as_it_is(around: Surroundings) -> None:
    """DESIGN §5: the variable holds the whole URL; the token in it is hidden too."""
    found = resolve.url("env:URL", around)
    assert (found.text, found.literal) == (Secret("tgram://123456789:AAabcdefghijklmn01/5"), False)
    assert found.parts == {Secret("AAabcdefghijklmn01")}


@pytest.mark.parametrize("written", ["{TOKEN}", "env:TOKEN"])
def test_half_a_reference_is_pointed_out(written: str, around: Surroundings) -> None:
    """{NAME} and env:NAME inside a URL would be sent as they are; they almost certainly mean {env:NAME}."""
    with pytest.raises(MistakeError) as caught:
        resolve.url(f"tgram://{written}/5", around)
    assert str(caught.value) == f"write {{env:TOKEN}} instead of {written}"


def test_all_that_a_url_lacks_is_told_at_once(around: Surroundings) -> None:
    """DESIGN §5: not the first missing variable alone, and each of them once."""
    with pytest.raises(MistakeError) as caught:
        resolve.url("mailtos://{env:WHO}:{env:WHAT}@example.com?to={env:WHO}&from={env:TOKEN}", around)
    remedy = "is not set; set it, or use file:PATH"
    assert str(caught.value) == f"the environment variable WHO {remedy}; the environment variable WHAT {remedy}"


@pytest.mark.parametrize(
    ("url", "literal"),
    [
        ("jsons://example.com/hook", False),
        ("tgram://{env:KEY}/{env:KEY}", False),
        ("mailtos://me:hunter2@example.com", True),
        ("discord://123456789012345678/AbCdEf0123456789AbCdEf", True),
    ],
)
def test_a_url_that_holds_its_secret_is_noticed(url: str, literal: bool, around: Surroundings) -> None:
    """A password or a long token in the file itself makes the file secret."""
    assert resolve.url(url, around).literal == literal


def test_tokens_of_a_url_are_hidden_in_both_spellings() -> None:
    """Promise 9: a log may show the part of a URL as written, or decoded."""
    assert resolve.tokens("mailtos://me:p%40ss@h/abcdef0123456789abcdef") == {
        "p%40ss",
        "p@ss",
        "me:p%40ss",
        "me:p@ss",
        "abcdef0123456789abcdef",
    }


def test_what_is_no_url_has_no_tokens() -> None:
    """A broken address is refused elsewhere; here it does no harm."""
    assert resolve.tokens("json://[broken") == frozenset()
