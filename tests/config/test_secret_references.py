"""Secrets stored elsewhere are fetched; a missing one is named with its remedy, never shown."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from daemon.config import secret_references
from daemon.config.problems import MistakeError
from daemon.config.secret_references import Resolved, Surroundings
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
    """DESIGN §5: the environment, a file beside rules.toml, a credential, or the text itself."""
    assert secret_references.key(written, around).text == Secret(text)


def test_a_file_may_have_an_absolute_path(around: Surroundings) -> None:
    """An absolute path is not relative to the rules.toml."""
    assert secret_references.key(f"file:{around.folder / 'key.txt'}", around).text == Secret(
        "from-file"
    )


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("env:NOPE", "the environment variable NOPE is not set; set it, or use file:PATH"),
        ("env:EMPTY", "the environment variable EMPTY is empty; set it, or use file:PATH"),
        ("env:a-b", "what follows env: is not the name of an environment variable"),
        ("file:nope.txt", "the file nope.txt does not exist; create it, or correct its name"),
        ("file:empty.txt", "the file empty.txt is empty; put the secret into it"),
        ("file:.", "the file . is a folder; name the file in it"),
        ("credential:nope", "the credential nope does not exist; create it, or correct its name"),
        ("credential:../key.txt", "what follows credential: is not the name of a credential"),
        ("planted key", "holds a space or a character that no key has; copy the key again"),
        ("planted\nkey", "holds a space or a character that no key has; copy the key again"),
        ("plänted", "holds a space or a character that no key has; copy the key again"),
    ],
)
def test_what_cannot_be_fetched_is_explained(
    written: str, sentence: str, around: Surroundings
) -> None:
    """The sentence names the reference and the remedy, and never the secret."""
    with pytest.raises(MistakeError) as caught:
        secret_references.key(written, around)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("way", [secret_references.key, secret_references.url])
@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("fil:planted", "begins with fil:; did you mean file:PATH?"),
        ("File:planted", "begins with File:; did you mean file:PATH?"),
        ("FILE:/planted", "begins with FILE:; did you mean file:PATH?"),
        ("file :planted", "begins with file :; did you mean file:PATH?"),
        (" file:planted", "begins with  file:; did you mean file:PATH?"),
        ("ENV:planted", "begins with ENV:; did you mean env:NAME?"),
        ("evn:planted", "begins with evn:; did you mean env:NAME?"),
        ("environ:planted", "begins with environ:; did you mean env:NAME?"),
        ("cred:planted", "begins with cred:; did you mean credential:NAME?"),
        ("credentials:planted", "begins with credentials:; did you mean credential:NAME?"),
        ("{fil:planted}", "holds {fil:…}; did you mean {file:PATH}?"),
        ("json://a/{env:KEY}/{Env:planted}", "holds {Env:…}; did you mean {env:NAME}?"),
        ("json://a/{ file:planted}", "holds { file:…}; did you mean {file:PATH}?"),
        ("key.txt", "is the name of a file; write file: in front of it to use what it holds"),
        (
            "credentials/coinw",
            "is the name of a file; write file: in front of it to use what it holds",
        ),
    ],
)
def test_half_a_reference_is_not_taken_for_the_secret(
    way: Callable[[str, Surroundings], Resolved],
    written: str,
    sentence: str,
    around: Surroundings,
) -> None:
    """A mistyped word and a forgotten one; only the word is shown, as the rest may be secret."""
    with pytest.raises(MistakeError) as caught:
        way(written, around)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "written", ["a:b", "xkcd:planted", "credentials", "nope.txt", "x" * 5_000, "a\0b:", "{x:y}"]
)
def test_other_texts_are_still_the_secret_itself(written: str, around: Surroundings) -> None:
    """A colon alone makes no reference, a folder is no file, and any text can be asked about."""
    assert secret_references.url(written, around).text == Secret(written)


@pytest.mark.parametrize("written", ["json://a/{file:key.txt}", "enum://planted"])
def test_addresses_are_no_mistyped_references(written: str, around: Surroundings) -> None:
    """What stands before :// is a service, which Apprise knows or refuses."""
    assert secret_references.url(written, around).text.reveal().startswith(written[:5])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xef\xbb\xbfs3cret\n", "begins with a byte order mark; save it as UTF-8 without one"),
        (b"s3cret\nsecond\n", "has more than one line; leave only the secret in it"),
        (b"s3cret\r\nsecond", "has more than one line; leave only the secret in it"),
        (b"s3cret\rsecond", "has more than one line; leave only the secret in it"),
        (b"\ns3cret\n", "has more than one line; leave only the secret in it"),
        (b"s3cret \n", "begins or ends with a blank or a line break; remove it"),
        (b"s3cret\t", "begins or ends with a blank or a line break; remove it"),
        (b" s3cret", "begins or ends with a blank or a line break; remove it"),
        ("s3cret\u00a0".encode(), "begins or ends with a blank or a line break; remove it"),
        (
            "s3c\u200bret".encode(),
            "holds a character that nobody sees (U+200B, zero width space); remove it",
        ),
        (
            "s3c\u202eret".encode(),
            "holds a character that nobody sees (U+202E, right-to-left override); remove it",
        ),
        (
            b"s3c\0ret",
            "holds a character that nobody sees (U+0000, a control character); remove it",
        ),
        (b"", "is empty; put the secret into it"),
        (b" \r\n", "is empty; put the secret into it"),
        (b"s3cr\xe9t", "is not text in UTF-8; save it as UTF-8"),
        ("s3cret".encode("utf-16"), "is not text in UTF-8; save it as UTF-8"),
        (b"s3cret" * 10_000, "is larger than 16 KB, so it is no secret; name another file"),
    ],
)
@pytest.mark.parametrize(
    "written", ["{file:odd}", "{credential:odd}", "file:odd", "credential:odd"]
)
def test_a_secret_of_a_channel_is_as_strict_as_a_key(
    content: bytes, sentence: str, written: str, around: Surroundings
) -> None:
    """B6: a file with anything beside the secret is reported, not sent; for keys and URLs alike."""
    (around.folder / "odd").write_bytes(content)
    (around.folder / "credentials" / "odd").write_bytes(content)
    address = f"json://me:{written}@127.0.0.1/x" if "{" in written else written
    ways = [partial(secret_references.url, address, around)]
    ways += [] if "{" in written else [partial(secret_references.key, written, around)]
    for way in ways:
        with pytest.raises(MistakeError) as caught:
            way()
        assert (
            str(caught.value)
            == f"the {'file' if 'file' in written else 'credential'} odd {sentence}"
        )


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
def test_the_last_line_may_end(ending: str, around: Surroundings) -> None:
    """B6: line ends of Linux and Windows editors are accepted."""
    (around.folder / "good").write_bytes(f"pass phrase ü{ending}".encode())
    assert secret_references.url("file:good", around).text == Secret("pass phrase ü")


@pytest.mark.parametrize(
    "value", ["s3cret ", "s3cret\n", "s3cret\r", "\ufeffs3cret", "s3\u200bcret", "a\nb"]
)
def test_a_variable_is_as_strict_as_a_file(value: str, around: Surroundings) -> None:
    """B6: rests of an env file with CRLF, or of a copy from a page."""
    strange = Surroundings(HiddenMapping({"PW": value}), around.folder)
    for written in ("json://me:{env:PW}@127.0.0.1/x", "env:PW"):
        with pytest.raises(
            MistakeError, match=r"^the environment variable PW (begins|ends|has|holds) "
        ):
            secret_references.url(written, strange)


def test_what_is_no_file_is_not_waited_for(around: Surroundings) -> None:
    """B6: a pipe without a writer, an endless device and a folder are refused at once."""
    os.mkfifo(around.folder / "pipe")
    (around.folder / "zero").symlink_to("/dev/zero")
    rows = {
        "pipe": "is a pipe or a device, not a file; save the secret as a file, and name that",
        "zero": "is a pipe or a device, not a file; save the secret as a file, and name that",
        ".": "is a folder; name the file in it",
        "a\0b": "cannot be read; check what it is and who may read it",
    }
    for name, sentence in rows.items():
        with pytest.raises(MistakeError) as caught:
            secret_references.key(f"file:{name}", around)
        assert str(caught.value) == f"the file {name} {sentence}"


def test_a_huge_file_is_not_read(around: Surroundings) -> None:
    """B6: a gigabyte, of which only the first bytes are looked at."""
    with (around.folder / "huge").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(MistakeError, match="is larger than 16 KB"):
        secret_references.key("file:huge", around)


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("file:key.txt", ["key.txt"]),
        ("tgram://{file:key.txt}/{file:mine.txt}/{file:key.txt}", ["key.txt"]),
        ("file:mine.txt", []),
        ("file:nope.txt", []),
        ("env:KEY", []),
        ("the-key-itself", []),
    ],
)
def test_files_that_everybody_can_read_are_named(
    written: str, names: list[str], around: Surroundings
) -> None:
    """B6: reported as for a rules.toml with secrets; each file once."""
    (around.folder / "key.txt").chmod(0o644)
    (around.folder / "mine.txt").touch(0o640)
    assert list(secret_references.exposed(written, around)) == [
        f"the file {name} can be read by every user of this machine; chmod 600"
        f" {around.folder / name}"
        for name in names
    ]


def test_credentials_exist_only_under_systemd(tmp_path: Path) -> None:
    """Without $CREDENTIALS_DIRECTORY the sentence says what else would do."""
    with pytest.raises(MistakeError) as caught:
        secret_references.key("credential:coinw", Surroundings(HiddenMapping({}), tmp_path))
    assert (
        str(caught.value)
        == "credential:coinw exists only in a service of systemd; use env:NAME or file:PATH"
    )


def test_what_is_filled_into_a_url_is_percent_encoded(around: Surroundings) -> None:
    """DESIGN §5: a token with special characters does not break the URL; both forms are hidden."""
    assert secret_references.url("tgram://{env:TOKEN}/{file:key.txt}", around) == Resolved(
        Secret("tgram://1234%3Aab%2Fcd/from-file"),
        frozenset(map(Secret, ("1234:ab/cd", "1234%3Aab%2Fcd", "from-file"))),
    )


def test_a_whole_reference_is_taken_as_it_is(around: Surroundings) -> None:
    """DESIGN §5: the variable holds the whole URL; the token in it is hidden too."""
    found = secret_references.url("env:URL", around)
    assert (found.text, found.literal) == (Secret("tgram://123456789:AAabcdefghijklmn01/5"), False)
    assert found.parts == {Secret("AAabcdefghijklmn01")}


@pytest.mark.parametrize("written", ["{TOKEN}", "env:TOKEN"])
def test_half_a_reference_is_pointed_out(written: str, around: Surroundings) -> None:
    """{NAME} and env:NAME inside a URL would be sent as they are; {env:NAME} is suggested."""
    with pytest.raises(MistakeError) as caught:
        secret_references.url(f"tgram://{written}/5", around)
    assert str(caught.value) == f"write {{env:TOKEN}} instead of {written}"


def test_all_that_a_url_lacks_is_told_at_once(around: Surroundings) -> None:
    """DESIGN §5: every missing variable is reported, each once."""
    with pytest.raises(MistakeError) as caught:
        secret_references.url(
            "mailtos://{env:WHO}:{env:WHAT}@example.com?to={env:WHO}&from={env:TOKEN}", around
        )
    remedy = "is not set; set it, or use file:PATH"
    assert (
        str(caught.value)
        == f"the environment variable WHO {remedy}; the environment variable WHAT {remedy}"
    )


@pytest.mark.parametrize(
    ("url", "literal"),
    [
        ("jsons://example.com/hook", False),
        ("tgram://{env:KEY}/{env:KEY}", False),
        ("mailtos://me:hunter2@example.com", True),
        ("discord://123456789012345678/AbCdEf0123456789AbCdEf", True),
    ],
)
def test_a_url_that_holds_its_secret_is_noticed(
    url: str, literal: bool, around: Surroundings
) -> None:
    """A password or a long token in the file itself makes the file secret."""
    assert secret_references.url(url, around).literal == literal


def test_tokens_of_a_url_are_hidden_in_both_spellings() -> None:
    """Promise 9: a log may show the part of a URL as written, or decoded."""
    assert secret_references.tokens("mailtos://me:p%40ss@h/abcdef0123456789abcdef") == {
        "p%40ss",
        "p@ss",
        "me:p%40ss",
        "me:p@ss",
        "abcdef0123456789abcdef",
    }


def test_what_is_no_url_has_no_tokens() -> None:
    """A broken address is refused elsewhere; here it does no harm."""
    assert secret_references.tokens("json://[broken") == frozenset()
