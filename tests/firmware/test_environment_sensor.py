"""The sensor's checksum and scales against its data sheet."""

import pytest
from environment_sensor import EnvironmentSensor, SensorChecksum, crc8
from simulated_parts import Bus, Sht4x


def answer(temperature: int, humidity: int) -> bytes:
    words = [temperature.to_bytes(2, "big"), humidity.to_bytes(2, "big")]
    return b"".join(word + bytes([crc8(word)]) for word in words)


def measured(raw: bytes) -> tuple[int, int]:
    bus = Bus({0x44: Sht4x(raw)})
    sensor = EnvironmentSensor(bus)
    sensor.start()
    bus.pass_time(8.4)
    centidegrees, centipercent = sensor.read()
    return centidegrees, centipercent


def test_checksum_has_the_data_sheets_vector() -> None:
    assert crc8(b"\xbe\xef") == 0x92


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        # T = -45 + 175 S/65535, RH = -6 + 125 S/65535 (data sheet, 4.6), in hundredths.
        ((0, 0), (-4500, 0)),
        ((65535, 65535), (13000, 10000)),
        ((0x6666, 0x72B0), (2500, 5000)),
    ],
)
def test_scales_are_the_data_sheets(raw: tuple[int, int], expected: tuple[int, int]) -> None:
    assert measured(answer(*raw)) == expected


def test_every_raw_value_is_rounded_to_the_nearest_hundredth() -> None:
    for raw in range(0, 65536, 97):
        centidegrees, centipercent = measured(answer(raw, raw))
        assert abs(centidegrees / 100 - (-45 + 175 * raw / 65535)) <= 0.005 + 1e-9
        assert abs(centipercent / 100 - min(max(-6 + 125 * raw / 65535, 0), 100)) <= 0.005 + 1e-9


@pytest.mark.parametrize("place", range(6))
def test_any_damaged_byte_is_told(place: int) -> None:
    raw = bytearray(answer(0x6666, 0x7000))
    raw[place] ^= 0x20
    with pytest.raises(SensorChecksum):
        measured(bytes(raw))


def test_measurement_that_is_not_ready_is_not_acknowledged() -> None:
    sensor = EnvironmentSensor(Bus({0x44: Sht4x(bytes(6))}))
    sensor.start()
    with pytest.raises(OSError, match="not ready"):
        sensor.read()


def test_presence_is_an_acknowledgement() -> None:
    assert EnvironmentSensor(Bus({0x44: Sht4x(bytes(6))})).is_present()
    assert not EnvironmentSensor(Bus({})).is_present()
