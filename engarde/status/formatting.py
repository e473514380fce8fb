"""Figures as people read them."""

NOT_VISIBLE = "not visible"
_SPANS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def of_count(number: int | None) -> str:
    """`1,234,567`"""
    return "?" if number is None else f"{number:,}"


def of_share(share: float | None) -> str:
    """`99.5 %`; no hundred where something is missing."""
    return "-" if share is None else f"{int(share * 1000) / 10:.1f} %"


def of_seconds(seconds: float | None) -> str:
    """`5 min` or `1.3 s`."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    size, unit = next((size, unit) for size, unit in _SPANS if seconds >= size)
    return f"{seconds / size:.0f} {unit}"


def of_milliseconds(milliseconds: float | None) -> str:
    """`12.3 ms`, and from ten seconds on in seconds and more."""
    if milliseconds is None:
        return "-"
    return f"{milliseconds:.1f} ms" if milliseconds < 10_000 else of_seconds(milliseconds / 1000)


def ago(then: float | None, now: float) -> str:
    """`3 h ago`"""
    return "never" if then is None else f"{of_seconds(max(now - then, 0))} ago"
