from __future__ import annotations

import pytest

from qr.config import Config, ConfigError, read
from qr.digits import whole_number


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read({}) == Config(8080, "info", 1, 8, "0.0.0", "unknown", "unknown", None, 0)


def test_every_variable_is_read() -> None:
    environment = {
        "PORT": "65535",
        "LOG_LEVEL": "debug",
        "DRAIN_SECONDS": "0",
        "SHUTDOWN_SECONDS": "3600",
        "APP_VERSION": "1.2.3",
        "APP_COMMIT": "abc",
        "APP_BUILT": "today",
        "CHAOS_UNHEALTHY_AFTER": "0",
        "CHAOS_DELAY": "5",
    }
    assert read(environment) == Config(65535, "debug", 0, 3600, "1.2.3", "abc", "today", 0, 5)


def test_an_empty_chaos_variable_is_off() -> None:
    assert read({"CHAOS_UNHEALTHY_AFTER": "", "CHAOS_DELAY": ""}) == Config()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "abc", 'PORT: "abc" is not a whole number from 1 to 65535'),
        ("PORT", "0", 'PORT: "0" is not a whole number from 1 to 65535'),
        ("PORT", "", 'PORT: "" is not a whole number from 1 to 65535'),
        ("PORT", "80\n80", r'PORT: "80\n80" is not a whole number from 1 to 65535'),
        ("DRAIN_SECONDS", "-1", 'DRAIN_SECONDS: "-1" is not a whole number from 0 to 3600'),
        ("SHUTDOWN_SECONDS", "1.5", 'SHUTDOWN_SECONDS: "1.5" is not a whole number from 0 to 3600'),
        ("CHAOS_UNHEALTHY_AFTER", "soon", 'CHAOS_UNHEALTHY_AFTER: "soon" is not a whole number from 0 to 3600'),
        ("CHAOS_DELAY", "3601", 'CHAOS_DELAY: "3601" is not a whole number from 0 to 3600'),
        ("LOG_LEVEL", "INFO", 'LOG_LEVEL: "INFO" is not one of debug, info, warning, error'),
    ],
)
def test_a_bad_value_is_named_with_what_it_should_be(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read({name: value})
    assert str(error.value) == message


@pytest.mark.parametrize("text", ["1", "20", "08", "0" * 5000 + "7"])
def test_digits_in_range_are_a_number(text: str) -> None:
    assert whole_number(text, 1, 20) is not None


@pytest.mark.parametrize(
    "text", ["", "0", "21", "+1", "-1", " 1", "1 ", "1_0", "1.0", "1e1", "0x1", "٣", "²", "9" * 5000]
)
def test_anything_else_is_not(text: str) -> None:
    assert whole_number(text, 1, 20) is None
