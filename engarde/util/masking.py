"""Removes secrets from texts that are printed again: output of other programs, and statements of other roles.

It masks too much rather than too little. A secret may be inside something else (JSON, a URL's query, a CSV log), so
every form is also looked for in the text without its escapes. All of it takes time in proportion to the text: no
pattern reads the same part again from each of its beginnings, which is what the bounds and the `+` after quantifiers
are for.
"""

import re
import string
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

MASK = "***"
LONGEST_STATEMENT = 500
"""As it is printed in one line [characters]."""

Span = tuple[int, int]
_Back = Callable[[int], int]
_Unquoted = Callable[[re.Match[str]], re.Pattern[str] | None]

_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def small(text: str) -> str:
    """The text with small ASCII letters and the same length, which `str.lower` does not guarantee."""
    return text.lower() if text.isascii() else text.translate(_SMALL)


def masked(text: str, *known: str) -> str:
    """The text with `***` for every secret: those that are `known`, and everything in a place where secrets are."""
    for secret in sorted(filter(None, known), key=len, reverse=True):
        for written in dict.fromkeys((secret, quote(secret, safe=""))):
            text = text.replace(written, MASK)
    parts, done = [], -1
    for start, end in sorted(span for plain, back in _views(text) for span in _spans(plain, back)):
        # A span that overlaps or touches the one before is joined to it.
        if start > done:
            parts += [text[max(done, 0) : start], MASK]
        done = max(done, end)
    return "".join([*parts, text[max(done, 0) :]])


def one_line(statement: str | None) -> str | None:
    """The statement on one line, without comments and with `***` for every constant, which may be data."""
    if statement is None:
        return None
    kept = _CONSTANTS.sub(lambda token: {"name": token[0], "comment": " "}.get(token.lastgroup or "", MASK), statement)
    text = " ".join(kept.split())
    return text if len(text) <= LONGEST_STATEMENT else text[: LONGEST_STATEMENT - 1] + "…"


# A constant that was cut off goes to the end.
_CONSTANTS = re.compile(
    r"""
      (?P<name>"(?:[^"]|"")*+(?:"|\Z))
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<escaped>\b[eE]'(?:[^'\\]|''|\\.)*+(?:'|\\?\Z))
    | (?P<text>'(?:[^']|'')*+(?:'|\Z))
    | (?P<dollar>(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*+)?)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<number>(?<![\w$.])\.?\d[\w.]*)
    """,
    re.VERBOSE | re.DOTALL,
)


# ---- The text without escapes, and how a place in it is found in the text again.

_BACKSLASHES = re.compile(r"\\[\s\S]?")
_DOUBLED = re.compile(r"''|\"\"")
_CODES = (re.compile(r"%[2-7][0-9A-Fa-f]"), re.compile(r"\\u00[2-7][0-9A-Fa-f]"))


def _views(text: str) -> Iterator[tuple[str, _Back]]:
    """The text as it is, and without backslashes (up to three deep), percent signs and doubled quotes."""
    back: _Back = int
    for depth in range(4):
        yield text, back
        if depth < 2:
            if "''" in text or '""' in text:
                yield text.replace("''", "'").replace('""', '"'), _back(_DOUBLED, 2, text, back)
            for codes in _CODES:
                if found := codes.search(text):
                    plain = codes.sub(lambda code: chr(int(code[0][-2:], 16)), text)
                    yield plain, _back(codes, len(found[0]), text, back)
        if "\\" not in text:
            return
        text, back = _without_backslashes(text), _back(_BACKSLASHES, 2, text, back)


def _without_backslashes(text: str) -> str:
    ends = text.replace("\\\\", "\0").replace("\\n", "\n").replace("\\r", "\n").replace("\\t", "\t")
    return ends.replace("\\", "").replace("\0", "\\")


def _back(escape: re.Pattern[str], length: int, text: str, outer: _Back) -> _Back:
    """From a place in the text without escapes, each of which is one character there, to that in the text with them."""
    lost = length - 1
    at = [match.start() - number * lost for number, match in enumerate(escape.finditer(text))]
    return lambda place: outer(place + lost * bisect_right(at, place - 1))


# ---- What stands before a secret, in small letters.

_NAMES = (
    r"(?:pass(?:word|wd|phrase|code|wort|(?![a-z])(?:(?<![a-z]pass)|(?<=dbpass)|(?<=pgpass)|(?<=userpass)"
    r"|(?<=adminpass)|(?<=rootpass)))|pwd|secret|token(?!s\b)|credential|signature|cookie|jwt|authori[sz]ation"
    r"|session[-_]?id|(?:api|access|secret|private|encryption|signing|storage|account|master|shared|auth)[-_. ]?key)"
)
_OTHERWISE = (
    r"(?!s?[-_.]?(?:encryption|required|valid|file|path|length|policy|lifetime|expir|count|limit|type|check|change"
    r"|provider|iz|us(?:ed?|ing)\b|error|exception|fail|incorrect|invalid|mismatch|missing|reset|denied))"
)
"""Makes the name of a secret that of something else, such as the setting password_encryption."""

_NAMED = re.compile(
    rf"{_NAMES}{_OTHERWISE}[\w.-]{{0,40}}+[\"'\]]{{0,2}}"
    r"(?:[ \t]*+(?P<is>=>|:=|==|=|:(?!:))[ \t]*+"
    r"|,?[ \t\r\n]{0,40}+[\"']?value[\"']?[ \t]{0,9}[=:][ \t]*+"
    r"|(?P<whole>[^()\r\n]{0,200}+\)=\()"
    r"|(?P<blank>[ \t]++)(?!-))"
)
_OPTION = re.compile(r"(?:--|\bset[ \t]|\bsetx[ \t]|\bset[ \t]-[a-z]+[ \t])[\w.-]*\Z")
_IN_QUERY = re.compile(r"[?&][\w.%-]*\Z")
_STARTS_LINE = re.compile(r"(?:\A|[\r\n])[ \t>+#-]*(?:export[ \t]+)?[\"']?[\w.-]*\Z")
_LOOK_BACK = 64

_SQL = (
    r"(?:passw(?:or)?d|passphrase|(?<!revision )identified[ \t]by)(?:[ \t\r\n]{1,40}|[ \t]{0,9}\([ \t]{0,9})"
    r"(?:for\s{1,9}[^\s=]{1,140}\s{0,9}=\s{0,9})?"
)
_FIELD = r"(?:[^\s:\\]|\\.){1,140}+"

_OPENING = re.compile(
    r"(?:[bruefnx]{1,2}|u&|(?:some|secretstr|text|string|password)\()?(?P<quote>[\"'])|\$(?:[^\W\d]\w{0,63})?+\$"
)
_QUOTED = {
    # How a shell writes a quote inside of quotes stands among them.
    "'": re.compile(r"(?:[^'\\\r\n]|\\.|''|'\\*\"'\\*\"'|'\\+'')*+"),
    '"': re.compile(r'(?:[^"\\\r\n]|\\.|"")*+'),
}
_AFTER_QUOTES = re.compile(r"[\"']\w[^\s\"',;)}\]]*+")

_KEYS = (
    r"(?:host|hostaddr|hostname|server|port|user|username|user[ _]?id|uid|role|dbname|db|database|initial catalog"
    r"|data source|schema|sslmode|ssl|options|application_name|connect_timeout|target_session_attrs)[\"']?[ ]?[=:]"
)
_WORD = re.compile(rf"(?:[^\s\\,;&]|\\.|[,;&](?![ ]?[\"']?{_KEYS}))*+")
_IN_URL = re.compile(r"[^\s&#\"']*+")
_LINE = re.compile(r"[^\r\n]*+")
_ESCAPED_LINE = re.compile(r"(?:[^\r\n\\]|\\[^\r\nn])*+")
_COOKIES = re.compile(r"\S++(?:(?<=;)[ \t]++\S++)*+")
_HEADER = re.compile(r"(?:(?:digest|oauth|hawk|aws4\S{0,30})[ \t]++[^\r\n]*+|(?:[a-z][\w-]{0,20}+[ \t]++)?\S*+)")
_BLOCK = re.compile(r"[|>][-+\d]{0,2}[ \t]*\r?\n(?P<indent>[ \t]++)[^\r\n]*+(?:\r?\n(?P=indent)[^\r\n]*+)*+")
_COMMAND = re.compile(r"\S*+(?:[ \t]*+(?:[\r\n]|\Z)|[^\r\n]*?[ \t](?:-|\w+=))")
_CLOSING = re.compile(r"[\"')\]}>]{0,2}[,;.:]?\Z")
_NOTHING = re.compile(
    r"(?:yes|no|on|off|true|false|null|none|nil|undefined|required|missing|empty|optional|unset|\$\d{1,5}|%s|\?)"
    r"[\"')\]},;.]{0,3}(?=\s|\Z)"
)

_FORMS = (
    # PASSWORD '…', E'…', U&'…', $$…$$; IDENTIFIED BY '…'
    (re.compile(rf"{_SQL}(?=[bruefnx]{{0,2}}[\"']|u&'|\$[^\W\d]?\w{{0,63}}\$)"), None),
    # What the server logs of a prepared statement: parameters: $1 = '…'
    (re.compile(r"\$\d{1,5} = (?=')"), None),
    (re.compile(r"\[parameters: "), _ESCAPED_LINE),
    (re.compile(r"(?P<whole>failing row contains \()"), _LINE),
    (re.compile(rf"<[\w:.-]{{0,40}}?{_NAMES}[\w.-]{{0,40}}+>"), re.compile(r"[^<\r\n]*+")),
    # The file .pgpass, or one entry of it in a line.
    (re.compile(rf"^(?P<whole>[ \t]*+){_FIELD}:(?:\d{{1,5}}|\*):{_FIELD}:(?!\d+:){_FIELD}:(?=\S)", re.M), _LINE),
    (
        re.compile(rf"(?P<whole>:(?<=[\w\]*.-]:))(?:\d{{4,5}}|\*):{_FIELD}:(?=[^\s:]{{0,140}}[g-z_*]){_FIELD}:(?=\S)"),
        _LINE,
    ),
    (re.compile(r"bearer(?<!\Sbearer)[ \t]++(?=[\w.~+/=-]{16}|[\w.~+/=-]*\d)"), _WORD),
    (
        re.compile(r"(?:mysql|mariadb|sshpass)[\w-]{0,10}+(?:[ \t]++(?!-p)\S{1,80}+){0,8}+[ \t]++-p[ \t]?(?=[^\s-])"),
        _WORD,
    ),
    (re.compile(r"redis-cli(?:[ \t]++(?!-a)\S{1,80}+){0,8}+[ \t]++-a[ \t]++"), _WORD),
    (re.compile(r"-(?:u|-user)(?<!\S-u)(?<!\S--user)[ \t]++(?P<inside>[\"'])?[\w.%+-]{1,64}+:(?!\d+\b)"), _WORD),
    (re.compile(r"(?:requirepass|masterauth)[ \t]++"), _WORD),
    (re.compile(r"login[ \t]++\S{1,140}+[ \t]++password[ \t]++"), _WORD),
    (re.compile(r"_auth[ \t]*=[ \t]*|\"auth\"[ \t]*:[ \t]*(?=\")"), _WORD),
)
_BIG_W = re.compile(r"-W(?<!\S-W)[ \t]++(?!-|(?:error|ignore|default|always|module|once|all)\b)(?=\S)")

_SHAPES = re.compile(
    r"pul-[0-9A-Za-z]{8,}+|gh[opsur]_[0-9A-Za-z]{16,}+|github_pat_\w{16,}+|glpat-[\w-]{16,}+|xox[a-z]-[\w-]{10,}+"
    r"|sk[-_][\w-]{16,}+|npm_[0-9A-Za-z]{30,}+|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{30,}+|hv[sb]\.[\w-]{20,}+"
    r"|eyJ[\w.-]{16,}+|SCRAM-SHA-(?:1|256)\$[\w+/=:$]++|md5[0-9a-f]{16,32}+"
    r"|\$(?:2[abxy]?|argon2\w{1,3}|[156y]|scrypt)\$[\w./+=,$-]{20,}+"
)
"""What is a secret by its looks: tokens of Pulumi, GitHub, GitLab, AWS and others, JWTs, hashes of passwords."""

_KEY_BLOCK = re.compile(r"-----begin [a-z0-9 ]{0,40}private key(?: block)?-----")
_TO_DASHES = re.compile(r"[^-]*+(?:-(?!----)[^-]*+)*+")
_LONGEST_TEXT = 4096
_BASE64 = re.compile(r"(?:\s*+[A-Za-z0-9+/=]{20,}+)*+")

_USER = re.compile(r"//(?P<user>[^\s/:@?#'\"<>\[\]\\]{0,255}+)(?P<end>[:@])")
_IN_SCHEME = string.ascii_lowercase + string.digits + "+.-"
_OF_SERVERS = re.compile(
    r"(?:postgres|mysql|mariadb|redis|valkey|amqp|mongodb|mssql|sqlserver|oracle|cockroach|clickhouse|ldap|smtp|s?ftp)"
)
_PORT = re.compile(r"\d{0,5}(?:[/?#,\\]|[\"')\]}>.:;…]{0,3}(?:\s|\Z))")
_HTTP_PORT = re.compile(r"\d{1,5}[/?#]")
_PLACEHOLDER = re.compile(r"[${<*]|%\(")
_RUN = re.compile(r"\S*+")
_LATER_AT = re.compile(r"[^\r\n@\"'/]{0,200}+@(?=[\w.\[-])")


def _spans(text: str, back: _Back) -> Iterator[Span]:
    """Where secrets stand in a view of the text."""
    low = small(text)
    shapes = (match.span() for match in _SHAPES.finditer(text))
    for found in (shapes, _key_blocks(low), _forms(text, low), _urls(low)):
        for start, end in found:
            if start < end:
                yield back(start), back(end)


def _key_blocks(text: str) -> Iterator[Span]:
    for match in _KEY_BLOCK.finditer(text):
        start, end = _span(_TO_DASHES, text, match.end())
        yield (start, end) if text.startswith("-----end", end) else _span(_BASE64, text, start)


def _forms(text: str, low: str) -> Iterator[Span]:
    for before, word in _FORMS:
        yield from _after(low, before.finditer(low), _same(word))
    yield from _after(low, _BIG_W.finditer(text), _same(_WORD))
    yield from _after(low, _NAMED.finditer(low), _of_name)


def _same(word: re.Pattern[str] | None) -> _Unquoted:
    return lambda _: word


def _of_name(match: re.Match[str]) -> re.Pattern[str] | None:
    """How far a value goes that is not in quotes; None where the name of a secret is only a word."""
    text, start = match.string, match.end()
    before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
    if match["blank"]:
        return _WORD if _OPTION.search(before) else None
    if match["whole"]:
        return _LINE
    if _IN_QUERY.search(before):
        return _IN_URL
    if (
        match["is"]
        and (match.start() <= _LOOK_BACK or "\n" in before or "\r" in before)
        and _STARTS_LINE.search(before)
    ):
        if _BLOCK.match(text, start):
            return _BLOCK
        # A shell's `NAME=… command` goes on after its first blank, and a file's line does not.
        return _WORD if "=" in match["is"] and _COMMAND.match(text, start) else _LINE
    if match[0].startswith("authori"):
        return _HEADER
    return _COOKIES if match[0].startswith("cookie") else _WORD


def _after(text: str, matches: Iterable[re.Match[str]], unquoted: _Unquoted) -> Iterator[Span]:
    """The value that begins where each of these ends: in quotes of some kind, or else as `unquoted` says."""
    done = 0
    for match in matches:
        start = match.end()
        if match.lastgroup == "blank" and not unquoted(match):
            continue
        opening = None if match.lastgroup == "whole" else _OPENING.match(text, start)
        if match.lastgroup == "inside":
            yield _span(_QUOTED[match["inside"]], text, start)
        elif opening and opening["quote"]:
            quoted = _span(_QUOTED[opening["quote"]], text, opening.end())
            if not _NOTHING.fullmatch(text, *quoted):
                tail = _AFTER_QUOTES.match(text, quoted[1])
                yield opening.end(), tail.end() if tail else quoted[1]
        elif opening:
            end = text.find(opening[0], opening.end(), opening.end() + _LONGEST_TEXT)
            yield (opening.end(), end) if end >= 0 else _span(_LINE, text, opening.end())
        # Whatever begins in the middle of an unquoted value ends with it.
        elif start >= done and (word := unquoted(match)):
            start, end = _span(word, text, start)
            if not _NOTHING.fullmatch(text, start, end):
                done = end
                yield start, _before_closing(text, start, end)


def _urls(text: str) -> Iterator[Span]:
    """The password between `//user:` and the last @ of the word, or of the quotes; one may hold an @ itself."""
    run, at = 0, -1
    for match in _USER.finditer(text):
        start = match.end()
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
        bare = before[:-1].rstrip(_IN_SCHEME) if before.endswith(":") else before
        scheme = before[len(bare) : -1]
        if match["end"] == "@":
            # Where there is no password, the user's name may be one: a token.
            if scheme in ("http", "https"):
                yield match.span("user")
            continue
        if start >= run:
            run = _span(_RUN, text, start)[1]
            at = text.rfind("@", start, run)
        last, end = at, run
        if scheme and bare.endswith(("'", '"')):
            end = _span(_QUOTED[bare[-1]], text, start)[1]
            last = text.rfind("@", start, end)
        if last >= start:
            if not (scheme.startswith("http") and _HTTP_PORT.match(text, start)):
                yield start, last
        elif _OF_SERVERS.search(scheme) and not (_PORT.match(text, start) or _PLACEHOLDER.match(text, start)):
            # Its @ comes after a blank, or was cut off.
            later = _LATER_AT.match(text, start)
            yield start, later.end() - 1 if later else _before_closing(text, start, end)


def _before_closing(text: str, start: int, end: int) -> int:
    closing = _CLOSING.search(text, max(start, end - 3), end)
    return closing.start() if closing else end


def _span(pattern: re.Pattern[str], text: str, start: int) -> Span:
    match = pattern.match(text, start)
    return match.span() if match else (start, start)
