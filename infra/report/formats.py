"""How a report writes numbers."""

from datetime import UTC, datetime

MISSING = "–"
LONGEST = 20_000
"""Characters of a text that are shown."""


def utility(value: float | None) -> str:
    """Return a utility or score with three decimals, as the papers write them; a dash where there is none."""
    return MISSING if value is None else f"{value:.3f}".replace("-", "−")


def coefficient(value: float) -> str:
    """Return a coefficient with its sign."""
    return f"{value:+.2f}".replace("-", "−")


def points(difference: float, is_graded: bool = True) -> str:
    """Return a difference of utilities with its sign: in points (hundredths) if they are shares of right answers."""
    if not is_graded:
        return f"{difference:+.3f}".replace("-", "−")
    size = f"{100 * difference:+.1f}".replace("-", "−")
    return f"{'0.0' if size in ('+0.0', '−0.0') else size} points"


def p_value(value: float) -> str:
    """Return "p = …" with as many digits as mean something."""
    if value < 0.001:
        return "p < 0.001"
    return f"p = {value:.3f}" if value < 0.1 else f"p = {value:.2f}"


def percent(share: float) -> str:
    """Return a share, 0 … 1, in whole per cent."""
    return f"{100 * share:.0f} %"


def count(value: int) -> str:
    """Return a whole number in groups of three digits."""
    return f"{value:,}".replace(",", "\u202f")


def duration(seconds: float) -> str:
    """Return a time in its two largest units."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(value: datetime) -> str:
    """Return a time to the minute, in UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def beginning(text: str) -> str:
    """Return `text`, cut where it is very long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


FORMATS = {
    function.__name__: function
    for function in (utility, coefficient, points, percent, count, duration, moment, beginning)
}
"""What the page's templates may call."""
