from datetime import datetime, timedelta, timezone

import pytest

from infra.report.formats import coefficient, count, duration, moment, p_value, percent, points, utility


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (utility(0.58349), "0.583"),
        (utility(-0.5), "−0.500"),
        (utility(None), "–"),
        (coefficient(0.333), "+0.33"),
        (coefficient(-1.5), "−1.50"),
        (points(0.0634), "+6.3 points"),
        (points(-0.1), "−10.0 points"),
        (points(-1e-9), "0.0 points"),
        (points(-12.34, is_graded=False), "−12.340"),
        (p_value(0.0001), "p < 0.001"),
        (p_value(0.0499), "p = 0.050"),
        (p_value(0.734), "p = 0.73"),
        (percent(0.356), "36 %"),
        (count(1234567), "1\u202f234\u202f567"),
        (duration(0.25), "0.2 s"),
        (duration(59.99), "60.0 s"),
        (duration(61), "1 min 1 s"),
        (duration(3 * 3600 + 150), "3 h 2 min"),
        (moment(datetime(2026, 1, 2, 1, 30, tzinfo=timezone(timedelta(hours=2)))), "2026-01-01 23:30 UTC"),
    ],
)
def test_numbers_are_written_for_people(written: str, wanted: str) -> None:
    assert written == wanted
