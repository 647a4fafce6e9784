import pytest

from tools.costs import Contestant, contestants, table


def test_a_function_below_one_core_takes_longer_and_costs_the_same():
    one = Contestant("one", network_s=0.2, around_s=0.1, peak_mb=250)
    assert one.wall_s(1769) == pytest.approx(0.3)
    assert one.wall_s(512) == pytest.approx(0.3 * 1769 / 512)
    assert one.dollars(512, 1e-5, 0) == pytest.approx(one.dollars(1769, 1e-5, 0))


def test_more_cores_help_the_network_alone():
    one = Contestant("one", network_s=0.2, around_s=0.1, peak_mb=250)
    assert one.wall_s(2 * 1769) == pytest.approx(0.1 + 0.1)
    assert one.wall_s(2200) == pytest.approx(0.2 + 0.1), "one thread, below a core and a half"


def test_what_was_measured_is_written_by_memory_and_what_does_not_fit_is_not():
    rows = [
        {"workload": "1-mp", "contestant": "cutout", "cpu_ms": 300.0, "peak_mb": 240.0},
        {"workload": "1-mp", "contestant": "bare network", "cpu_ms": 200.0, "peak_mb": 200.0},
        {"workload": "1-mp", "contestant": "rembg, our network", "cpu_ms": 500.0, "peak_mb": 600.0},
        {"workload": "12-mp", "contestant": "cutout", "cpu_ms": 900.0, "peak_mb": 400.0},
    ]

    found = contestants(rows, "1-mp")

    assert [(each.name, round(each.network_s, 3), round(each.around_s, 3)) for each in found[:2]] == [
        ("Cutout", 0.2, 0.1),
        ("rembg, our network", 0.2, 0.3),
    ]
    lines = table(found, 0.0000166667, 0.0000002).splitlines()
    assert "| 0.30 s, $0.0088 |" in lines[2], "1,769 MB: 0.3 s x 1.73 GB, and the request"
    assert lines[3].startswith("| rembg, our network | - | ")
