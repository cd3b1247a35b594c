"""CoinW: its signature, its answers and refusals, and one real call over loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from email.utils import formatdate

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from hypothesis import given
from hypothesis import strategies as st

from daemon.exchanges import ExchangeAccount, ExchangeDependencies
from daemon.exchanges.coinw import ASSETS, REST_URL, WS_URL, CoinW, connect, parse, problems, sign
from daemon.exchanges.common.http import HttpSession, open_session
from daemon.exchanges.common.rate_limit import HALVED
from daemon.exchanges.common.responses import Page
from daemon.redaction import Redactor
from daemon.types import SECOND, Answer, Balances, Limit, MissReason, NoAnswer
from tests.exchanges.recorded import OFFICIAL as SAMPLE
from tests.fakes import ManualClock, budget

HTML = "<html><title>Attention Required! | Cloudflare</title></html>"
FIELDS = ("availableMargin", "availableUsdt", "almightyGold", "alMargin", "alFreeze")


def page(text: str | bytes, status: int = 200, kind: str = "application/json") -> Page:
    return Page(status, kind, text if isinstance(text, bytes) else text.encode())


def with_data(**changes: str) -> Page:
    """The sample with some of its data replaced by raw JSON text; "" takes the field away."""
    data = dict.fromkeys(FIELDS, "1") | {"userId": "7"} | changes
    inner = ",".join(f'"{key}":{value}' for key, value in data.items() if value)
    return page(f'{{"code":0,"data":{{{inner}}},"msg":""}}')


def answer(found: Answer | NoAnswer) -> Answer:
    assert isinstance(found, Answer), found
    return found


def miss(found: Answer | NoAnswer) -> NoAnswer:
    assert isinstance(found, NoAnswer), found
    return found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (ASSETS, "RyJXdCZMDFV6l7bXKApHFcpwkrC7ZnQ2mCXYCD9vVMo="),
        (
            "/v1/perpum/account/almightyGoldInfo?type=1",
            "1/rbUQBFaEI+wDaeWmuqo8fcqKriz3VFV23wmVtpmhQ=",
        ),
    ],
)
def test_sign_follows_the_documented_rule(path: str, expected: str) -> None:
    """The signature is Base64 of HMAC-SHA256 over timestamp, method and path with its query."""
    assert expected == sign("test_secret", "1701944491793", "GET", path)


def test_a_list_of_one_is_the_older_shape() -> None:
    """`data` as a list of one object, as the older page has it, is the same answer."""
    envelope = json.loads(SAMPLE)
    envelope["data"] = [envelope["data"]]
    assert parse(page(SAMPLE)) == parse(page(json.dumps(envelope)))


@pytest.mark.parametrize(
    "sent", ["996660.6064387699998485", '"996660.6064387699998485"', "0", "0.0", "-3e-18", '"1E+3"']
)
def test_numbers_keep_every_digit(sent: str) -> None:
    """Numbers and numeric text are taken with the very digits that were sent."""
    found = answer(parse(with_data(availableMargin=sent)))
    assert str(Decimal(sent.strip('"'))) == str(found.balances.available_margin)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**23), max_value=10**23, places=16
    ),
    st.booleans(),
)
def test_any_plausible_amount_is_exact(amount: Decimal, as_text: bool) -> None:
    """Whatever plausible amount is sent, as number or text, is what is read (promise 7)."""
    sent = f'"{amount:f}"' if as_text else f"{amount:f}"
    assert amount == answer(parse(with_data(alFreeze=sent))).balances.al_freeze


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("true", "is true, not a number"),
        ("false", "is false, not a number"),
        ("NaN", "is NaN, not a number"),
        ("Infinity", "no plausible amount"),
        ("-Infinity", "no plausible amount"),
        ("1e400", "no plausible amount"),
        ("1e-400", "no plausible amount"),
        ("1e99999999999999999999", "no plausible amount"),
        ("1" * 25, "no plausible amount"),
        ("9" * 100_000, "no plausible amount"),
        ('"NaN"', 'is "NaN", not a number'),
        ('"inf"', "not a number"),
        ('" 1"', "not a number"),
        ('"1_000"', "not a number"),
        ('"1,000"', "not a number"),
        ('"+1"', "not a number"),
        ('"٣"', "not a number"),
        ("[1]", "is a list, not a number"),
        ("{}", "is an object, not a number"),
    ],
)
def test_an_unusable_field_is_named(field: str, sent: str, said: str) -> None:
    """Promise 5: a field that is sent and no number is `bad_answer` and named, never a zero."""
    found = miss(parse(with_data(**{field: sent})))
    assert found.reason == MissReason.BAD_ANSWER
    assert f"{field} " in found.detail
    assert said in found.detail


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("sent", ["", "null", '""', '"  "', '"\\t\\n"'])
def test_a5_a_field_that_says_nothing_is_unknown(field: str, sent: str) -> None:
    """A5, B3a: a null, absent or blank field is None and named as missing, never zero."""
    found = answer(parse(with_data(**{field: sent, "time": "1742374984772"})))
    ours = {
        "availableMargin": "available_margin",
        "availableUsdt": "available_usdt",
        "almightyGold": "almighty_gold",
    }
    ours |= {"alMargin": "al_margin", "alFreeze": "al_freeze"}
    expected = Balances(**{name: Decimal(1) for sent_as, name in ours.items() if sent_as != field})
    assert (found.balances, found.missing, found.extra) == (expected, (ours[field],), {})


@pytest.mark.parametrize("sent", ["", "null", '""', '" "'])
def test_a5_an_answer_without_any_amount_is_none(sent: str) -> None:
    """A5, B3a: that every field says nothing is a miss, also where `data` has other things."""
    found = miss(parse(with_data(**dict.fromkeys(FIELDS, sent), time="1742374984772", note='"x"')))
    assert found == NoAnswer(
        MissReason.BAD_ANSWER, "CoinW's answer cannot be used: no balance is in it"
    )


def test_a5_the_one_amount_there_is_is_read() -> None:
    """A5: also where it is the optional one; all that is missing is named."""
    found = answer(parse(page('{"code":0,"data":{"crossUnPnl":-1.5},"msg":""}')))
    assert found.balances == Balances(cross_un_pnl=Decimal("-1.5"))
    names = (
        "available_margin",
        "available_usdt",
        "almighty_gold",
        "al_margin",
        "al_freeze",
        "user_id",
        "time",
    )
    assert (found.user_id, found.missing) == ("", names)


def test_cross_pnl_is_optional() -> None:
    """`crossUnPnl` is read where sent, and None where absent or null."""
    found = [
        answer(parse(with_data(crossUnPnl=sent))).balances.cross_un_pnl
        for sent in ("-1.5", "", "null")
    ]
    assert [Decimal("-1.5"), None, None] == found


def test_cross_pnl_must_be_usable_when_sent() -> None:
    """`crossUnPnl` that is there but no number is `bad_answer`, not None."""
    found = miss(parse(with_data(crossUnPnl='"soon"')))
    assert found.detail == 'CoinW\'s answer cannot be used: crossUnPnl is "soon", not a number'


@pytest.mark.parametrize(
    ("sent", "expected"), [("1162061", "1162061"), ('"1162061"', "1162061"), ("9" * 30, "9" * 30)]
)
def test_user_ids_are_text(sent: str, expected: str) -> None:
    """The user id is an opaque label, whether sent as number or as text."""
    assert expected == answer(parse(with_data(userId=sent))).user_id


@pytest.mark.parametrize("sent", ["true", "1.5", "{}", '"a\\nb"', "1e3"])
def test_an_unusable_user_id_is_refused(sent: str) -> None:
    """B4: with an odd user id nobody can tell whose balances these are."""
    found = miss(parse(with_data(userId=sent)))
    assert (found.reason, "userId" in found.detail) == (MissReason.BAD_ANSWER, True)


@pytest.mark.parametrize(
    ("sent", "at", "extra"),
    [
        ("1742374984772", 1742374984772, {}),
        ('"1742374984772"', 1742374984772, {}),
        ("", None, {}),
        ("null", None, {}),
        ('""', None, {}),
        ("1742374984", None, {"time": 1742374984}),
        ('"noon"', None, {"time": "noon"}),
        ("true", None, {"time": True}),
        ("1e400", None, {"time": "1E+400"}),
    ],
)
def test_time_is_optional(sent: str, at: int | None, extra: dict[str, object]) -> None:
    """The exchange's time is taken if it is one in ms; otherwise it is kept as an unknown field."""
    found = answer(parse(with_data(time=sent)))
    assert (at, extra) == (found.exchange_at, found.extra)


def test_unknown_fields_are_kept() -> None:
    """Fields that we do not know are kept as sent, cleaned only of what no database takes."""
    found = answer(
        parse(
            with_data(
                ts="5", leverageMap='{"a":[1.50,null]}', note='"a\\u0000b\\ud800"', big="1e99"
            )
        )
    )
    expected = {
        "ts": 5,
        "leverageMap": {"a": [Decimal("1.50"), None]},
        "note": "a\\x00b\\ud800",
        "big": "1E+99",
    }
    assert expected == found.extra


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is not JSON"),
        (b"null", "is not a JSON object"),
        (b"[]", "is not a JSON object"),
        (SAMPLE.encode() + b" x", "is not JSON"),
        (SAMPLE.encode()[:-9], "is not JSON"),
        (b'\xff{"code":0}', "is not UTF-8 text"),
        (b'\xef\xbb\xbf{"code":0}', "data is neither"),
        (b'\xef\xbb\xbf\xef\xbb\xbf{"code":0}', "is not JSON"),
        (b"error code: 1020", 'is not JSON ("error code: 1020"): asking again'),
        (SAMPLE.encode("utf-16"), "is not UTF-8 text"),
        (b"[" * 500_000, "is nested too deeply"),
        (b'{"code":0,"code":1}', "names a key twice"),
        (SAMPLE.replace('"alFreeze":0', '"alFreeze":0,"alFreeze":1').encode(), "names a key twice"),
        (
            SAMPLE.replace('"userId"', '"x":' + "[" * 20 + "]" * 20 + ',"userId"').encode(),
            "is nested too deeply",
        ),
        (b'{"code":0}', "data is neither"),
        (b'{"code":0,"data":null}', "data is neither"),
        (b'{"code":0,"data":[]}', "data is neither"),
        (b'{"code":0,"data":[{},{}]}', "data is neither"),
        (b'{"code":0,"data":"x"}', "data is neither"),
        (b'{"data":{}}', "no code"),
        (b'{"code":"0","data":{}}', "without balances"),
        (b'{"code":false,"data":{}}', "without balances"),
        (b'{"code":0.0,"data":{}}', "without balances"),
        (b'{"code":9016,"data":null,"msg":"Incorrect"}', "9016: Incorrect"),
        (b'{"code":500,"msg":"Internal server error"}', "500: Internal server error"),
    ],
)
def test_a3_everything_else_is_a_bad_answer(body: bytes, said: str) -> None:
    """A3: an undocumented answer is `bad_answer` with its reason, never an exception."""
    found = miss(parse(page(body)))
    assert (found.reason, said in found.detail) == (MissReason.BAD_ANSWER, True), found.detail


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
    st.integers(100, 599),
    st.sampled_from(["", "text/html"]),
)
def test_parse_never_raises(body: bytes, status: int, kind: str) -> None:
    """Whatever bytes come, there is a reason and one sentence."""
    found = miss(parse(Page(status, kind, body)))
    assert [found.detail] == found.detail.splitlines()


@pytest.mark.parametrize(
    ("status", "kind", "body", "reason"),
    [
        (200, "application/json", '{"code":6000,"msg":"x"}', MissReason.AUTH),
        (200, "application/json", '{"code":6001,"msg":"x"}', MissReason.AUTH),
        (200, "application/json", '{"code":"6001","msg":"x"}', MissReason.AUTH),
        (401, "application/json", '{"code":1,"msg":"x"}', MissReason.AUTH),
        (401, "text/html", HTML, MissReason.AUTH),
        (
            200,
            "application/json",
            '{"code":6003,"message":"require more permission"}',
            MissReason.PERMISSION,
        ),
        (
            403,
            "application/json",
            '{"code":6003,"message":"require more permission"}',
            MissReason.PERMISSION,
        ),
        (
            200,
            "application/json",
            '{"code":29001,"msg":"API access frequently"}',
            MissReason.RATE_LIMITED,
        ),
        (
            503,
            "application/json",
            '{"code":29001,"msg":"API access frequently"}',
            MissReason.RATE_LIMITED,
        ),
        (200, "application/json", '{"code":429,"msg":"x"}', MissReason.RATE_LIMITED),
        (429, "text/html", HTML, MissReason.RATE_LIMITED),
        (429, "", "", MissReason.RATE_LIMITED),
        (500, "application/json", '{"code":500}', MissReason.HTTP_5XX),
        (502, "text/html", HTML, MissReason.HTTP_5XX),
        (521, "text/html", HTML, MissReason.HTTP_5XX),
        (403, "application/json", "{}", MissReason.BLOCKED),
        (403, "text/html", HTML, MissReason.BLOCKED),
        (200, "text/html; charset=UTF-8", HTML, MissReason.BLOCKED),
        (200, "application/json", "\n" + HTML, MissReason.BLOCKED),
        (404, "text/html", HTML, MissReason.BLOCKED),
        (403, "text/html", '{"code":29001,"msg":"x"}', MissReason.RATE_LIMITED),
        (403, "text/html", SAMPLE, MissReason.BLOCKED),
        (503, "text/html", SAMPLE, MissReason.HTTP_5XX),
        (401, "text/html", SAMPLE, MissReason.AUTH),
        (200, "text/html", "", MissReason.BAD_ANSWER),
        (200, "text/html", "Down for maintenance", MissReason.BAD_ANSWER),
        (200, "application/json", "\ufeff" + HTML, MissReason.BLOCKED),
        (
            404,
            "application/json",
            '{"code":404,"msg":"Requested address does not exist"}',
            MissReason.BAD_ANSWER,
        ),
        (400, "application/json", '{"code":904,"msg":"x"}', MissReason.BAD_ANSWER),
        (302, "text/html", HTML, MissReason.BAD_ANSWER),
        (201, "application/json", SAMPLE, MissReason.BAD_ANSWER),
    ],
)
def test_a3_refusals_have_a_reason(status: int, kind: str, body: str, reason: MissReason) -> None:
    """A3: status, content type and code map to the closed set of reasons; the code ranks first."""
    assert reason == miss(parse(page(body, status, kind))).reason


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "text/html",
        "text/html; charset=UTF-8",
        "application/xhtml+xml",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "image/png",
        "nonsense;;",
    ],
)
@pytest.mark.parametrize("begin", ["", "\ufeff", " \r\n\t"])
def test_a4_the_body_decides_what_an_answer_is(kind: str, begin: str) -> None:
    """A4, B3a: JSON is read whatever its content type and charset, also with a byte order mark."""
    assert parse(page(SAMPLE)) == parse(page(begin + SAMPLE, kind=kind))


EXPIRED = "9105: API key has expired"
SUPPORT = "if it lasts, do what it says, or ask its support"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            200,
            '{"code":9105,"msg":"API key has expired"}',
            f"answered without balances (HTTP 200, {EXPIRED}): asking",
        ),
        (
            400,
            '{"code":9105,"msg":"API key has expired"}',
            f"answered without balances (HTTP 400, {EXPIRED}): asking",
        ),
        (
            200,
            '{"code":"7","message":"maintenance"}',
            f"(HTTP 200, 7: maintenance): asking again; {SUPPORT}",
        ),
        (
            200,
            '{"error":"maintenance"}',
            f"(HTTP 200, no code: maintenance): asking again; {SUPPORT}",
        ),
        (
            200,
            '{"code":7,"msg":" ","message":null,"error":"IP"}',
            "(HTTP 200, 7: IP): asking again",
        ),
        (
            401,
            '{"code":9105,"msg":"API key has expired"}',
            f"refused the key (HTTP 401, {EXPIRED}): check api_key",
        ),
        (401, "Key expired\n", "refused the key (HTTP 401, Key expired): check api_key"),
        (
            403,
            '{"code":9105,"msg":"API key has expired"}',
            f"call (HTTP 403, {EXPIRED}): pausing; {SUPPORT}",
        ),
        (
            403,
            "error code: 1020",
            f"refused the call (HTTP 403, error code: 1020): pausing; {SUPPORT}",
        ),
        (
            403,
            HTML,
            (
                "keeps this machine out (HTTP 403, a web page, Attention Required! | Cloudflare):"
                " pausing"
            ),
        ),
        (403, "", "keeps this machine out (HTTP 403): pausing"),
        (403, "<html><body>no", "keeps this machine out (HTTP 403, a web page): pausing"),
        (
            429,
            '{"code":1,"msg":"slow down"}',
            "says too many calls (HTTP 429, 1: slow down): pausing",
        ),
        (
            503,
            '{"code":1,"msg":"maintenance"}',
            "failed to answer (HTTP 503, 1: maintenance): asking again",
        ),
        (
            503,
            "<TITLE lang='en'>Down &amp; out</TITLE>",
            "failed to answer (HTTP 503, a web page, Down & out): asking",
        ),
        (
            404,
            '{"code":404,"msg":"Requested address does not exist"}',
            "does not exist): check rest_url",
        ),
        (405, '{"code":1,"msg":"x"}', "(HTTP 405, 1: x): check rest_url"),
        (
            200,
            '{"code":500,"msg":"Internal server error"}',
            "(HTTP 200, 500: Internal server error): check rest_url",
        ),
        (
            404,
            "<title>404 Not Found</title>",
            "(HTTP 404, a web page, 404 Not Found): pausing; check rest_url",
        ),
        (403, "x" * 5_000, "keeps this machine out (HTTP 403): pausing"),
    ],
)
def test_b1_the_exchange_is_quoted_and_rest_url_is_for_wrong_addresses(
    status: int, body: str, said: str
) -> None:
    """B1: the exchange's own words are in the sentence; only a wrong address is to be checked."""
    found = miss(parse(page(body, status))).detail
    assert said in found
    assert ("rest_url" in found) == ("rest_url" in said)
    assert len(found) < 400


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("https://www.coinw.com/x?token=1", "www.coinw.com"),
        ("/elsewhere", "another place"),
        ("http://[", "another place"),
    ],
)
def test_a3_a_redirect_names_where_it_points(location: str, where: str) -> None:
    """A3: a redirect is `bad_answer` and names the host that the key must not be sent to."""
    found = miss(parse(Page(301, "text/html", b"", location)))
    said = f"CoinW redirects to {where} (HTTP 301), where the key is not sent: check rest_url"
    assert NoAnswer(MissReason.BAD_ANSWER, said) == found


@pytest.mark.parametrize(
    "write", [str, str.lower, str.upper, lambda key: f"%{ord(key[0]):02x}{key[1:]}"]
)
def test_s13_a_redirect_shows_no_key(write: Callable[[str], str]) -> None:
    """S13: the target of a redirect is shown in lower case, and a key in it is masked."""
    key = "KeyQQ7731aabbCC"
    found = miss(
        parse(
            Page(301, "text/html", b"", f"https://{write(key)}.evil.example/"),
            Redactor([key]).forms,
        )
    )
    assert "redirects to ***.evil.example (HTTP 301)" in found.detail


def test_a_refused_key_says_what_to_do() -> None:
    """The sentence names the code, the server's words and the remedy."""
    found = miss(parse(page('{"code":6001,"msg":"invalid\\u001b[31m\\nsignature"}')))
    expected = (
        "CoinW refused the key (6001: invalid\\x1b[31m signature): check api_key and secret_key,"
        " and, if the key is bound to addresses, that this machine's is among them"
    )
    assert expected == found.detail


def test_long_words_of_the_server_are_cut() -> None:
    """The server's words take at most 120 characters of the sentence."""
    found = miss(parse(page('{"code":9016,"msg":"' + "x" * 5_000 + '"}')))
    assert f"(HTTP 200, 9016: {'x' * 113}…)" in found.detail


@pytest.mark.parametrize(
    "body",
    [
        '{"code":6001,"msg":"bad secret SECRET for KEY"}',
        '{"code":9016,"message":"' + "x" * 105 + ' SECRET"}',
        '{"code":"SECRET"}',
        '{"code":9016,"msg":"\\u0053ECRET"}',
        '{"error":"SECRET"}',
        "SECRET \\u0053ECRET K\\u0045Y",
        "<title>K&#69;Y &#83;ECRET</title>",
        "<title>KEY " + "x" * 486 + "&#83;ECRET" + "</title>",
        SAMPLE.replace("1162061", '"SECRET"'),
        SAMPLE.replace("499.71964459000003", '"KEY SECRET"'),
        SAMPLE.replace('"userId"', '"echo":["SECRET",{"KEY":"KEY"}],"userId"'),
    ],
)
def test_secrets_that_the_server_echoes_are_blotted_out(body: str) -> None:
    """Promise 9: our key and secret never appear in a sentence or unknown field, even in part."""
    said = repr(parse(page(body), ("KEY", "SECRET")))
    assert [secret for secret in ("KEY", "SECRE") if secret in said] == []


def account(**changes: str) -> ExchangeAccount:
    keys = {
        "api_key": "test_key",
        "secret_key": "test_secret",
        "rest_url": REST_URL,
        "ws_url": WS_URL,
    } | changes
    return ExchangeAccount("main", **keys)  # type: ignore[arg-type]


def test_the_defaults_have_no_problem() -> None:
    """An account with the default addresses is usable, also without WebSocket."""
    assert [problems(account()), problems(account(ws_url=""))] == [[], []]


def test_every_problem_of_an_account_is_named() -> None:
    """Promise 9: all unusable keys at once, without quoting a secret."""
    wrong = account(
        api_key="",
        secret_key="hush\n",
        rest_url="http://api.coinw.com",
        ws_url="ws://10.0.0.1/perpum",
    )
    found = problems(wrong)
    assert [key for key, _ in found] == ["api_key", "secret_key", "rest_url", "ws_url"]
    assert "hush" not in repr(found) + repr(wrong)


class Site:
    """A small server that answers as told and keeps what it was asked."""

    def __init__(
        self,
        server: BaseTestServer,
        session: HttpSession,
        asked: list[web.Request],
        clock: ManualClock,
    ) -> None:
        self.url = str(server.make_url("")).rstrip("/")
        self.asked = asked
        self.clock = clock
        self.budget = budget(clock)
        self.dependencies = ExchangeDependencies(session, self.budget, clock)
        self.body = SAMPLE
        self.ahead = 0
        """Of its clock, beyond ours."""

    @property
    def date(self) -> str:
        return formatdate((self.clock.now() + self.ahead) // SECOND, usegmt=True)

    def client(self, user_id: str = "") -> CoinW:
        return connect(account(rest_url=self.url, user_id=user_id), self.dependencies)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    asked: list[web.Request] = []
    sites: list[Site] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request)
        here = sites[0]
        return web.Response(
            text=here.body, content_type="application/json", headers={"Date": here.date}
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server, open_session() as session:
        sites.append(Site(server, session, asked, ManualClock()))
        yield sites[0]


async def test_a_call_is_signed_as_documented(site: Site) -> None:
    """One GET with the headers sign, api_key and timestamp; the signature is of that timestamp."""
    assert answer(await site.client().read()).user_id == "1162061"
    (request,) = site.asked
    timestamp = str(site.clock.now())
    expected = ("GET", ASSETS, "test_key", timestamp, sign("test_secret", timestamp, "GET", ASSETS))
    headers = [request.headers[name] for name in ("api_key", "timestamp", "sign")]
    assert expected == (request.method, request.path_qs, *headers)


async def test_the_timestamp_is_of_the_sending(site: Site) -> None:
    """The wait for the budget comes before the timestamp, so that a signature is never old."""
    dependencies = ExchangeDependencies(
        site.dependencies.session,
        budget(site.clock, assets=Limit(1, 2 * SECOND)),
        site.clock,
    )
    client = connect(account(rest_url=site.url), dependencies)
    began = site.clock.now()
    await client.read()
    second = asyncio.create_task(client.read())
    await site.clock.advance(3 * SECOND)
    await second
    assert [began, began + 2 * SECOND + 1] == [
        int(request.headers["timestamp"]) for request in site.asked
    ]


async def test_a_foreign_user_is_a_miss(site: Site) -> None:
    """B4: an answer for another user is `wrong_user`, with both ids and the remedy."""
    expected = NoAnswer(
        MissReason.WRONG_USER,
        'the key of "main" belongs to user 1162061, but the account is user 42: '
        'if you changed the key on purpose, set user_id = "1162061"',
    )
    assert expected == await site.client("42").read()


async def test_the_user_is_learned(site: Site) -> None:
    """B4: the first answer tells whose key it is; from then on another user's answer is refused."""
    client = site.client()
    await client.read()
    site.body = SAMPLE.replace("1162061", "5")
    assert (client.user_id, miss(await client.read()).reason) == ("1162061", MissReason.WRONG_USER)
    await client.close()


async def test_a5_an_answer_that_names_no_user_is_its_own_once_that_is_known(site: Site) -> None:
    """A5, B4: an answer without a user cannot be used before the account's first answer."""
    client, nobody = site.client(), SAMPLE.replace(',"userId":1162061', "")
    site.body = nobody
    unknown = miss(await client.read())
    said = (
        "CoinW's answer cannot be used: userId is missing, and the account's user is not known yet:"
        " asking again"
    )
    assert (unknown, client.user_id) == (NoAnswer(MissReason.BAD_ANSWER, said), "")
    site.body = SAMPLE
    await client.read()
    site.body = nobody
    found = answer(await client.read())
    assert (found.user_id, found.missing, client.user_id) == ("1162061", ("user_id",), "1162061")


async def test_b2_too_many_calls_halve_the_budget(site: Site) -> None:
    """B2: 29001 halves all budgets for five minutes."""
    site.body = '{"code":29001,"msg":"API access frequently"}'
    before = site.budget.halved_for
    found = miss(await site.client().read())
    assert (before, found.reason, site.budget.halved_for) == (0, MissReason.RATE_LIMITED, HALVED)
    await site.clock.advance(300 * SECOND)
    assert site.budget.halved_for == 0


async def test_what_the_network_does_is_a_miss(site: Site) -> None:
    """An exchange that cannot be reached is a miss of the network, never an exception."""
    client = connect(account(rest_url="http://127.0.0.1:1"), site.dependencies)
    said = "127.0.0.1:1 refused the connection: check the address and that it is up"
    assert NoAnswer(MissReason.NETWORK, said) == await client.read()


@pytest.mark.parametrize("ahead", [0, 900, -900])
async def test_a_clock_that_is_right_signs_as_it_is(site: Site, ahead: int) -> None:
    """Less than a second is nothing that a header of full seconds could tell."""
    site.ahead = ahead
    client = site.client()
    for _ in range(3):
        await client.read()
    assert {request.headers["timestamp"] for request in site.asked} == {str(site.clock.now())}


@pytest.mark.parametrize(
    ("ahead", "which"), [(40_000, "40s behind"), (-3_600_000, "59m59s ahead of")]
)
async def test_a_wrong_clock_is_corrected_when_signing(site: Site, ahead: int, which: str) -> None:
    """The skew is corrected from the first answer on, even a refusal, in each signature."""
    site.ahead, client = ahead, site.client()
    site.body = '{"code":6001,"msg":"invalid signature"}'
    said = f"this machine's clock is {which} CoinW's, which is corrected from the next call on"
    assert miss(await client.read()).detail.endswith(said)
    site.body = SAMPLE
    answer(await client.read())
    first, second = [int(request.headers["timestamp"]) - site.clock.now() for request in site.asked]
    assert first == 0
    assert abs(second - ahead) <= SECOND
    expected = sign("test_secret", site.asked[1].headers["timestamp"], "GET", ASSETS)
    assert site.asked[1].headers["sign"] == expected
