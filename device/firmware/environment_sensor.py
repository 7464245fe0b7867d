"""Sensirion SHT4x over I2C: temperature and relative humidity (data sheet version 6, chapter 4)."""

ADDRESS = 0x44
MEASURE_HIGH_PRECISION = b"\xfd"  # takes 8.3 ms at most
READ_SERIAL_NUMBER = b"\x89"
ANSWER_BYTES = 6
POLYNOMIAL = 0x31  # x^8 + x^5 + x^4 + 1


class SensorChecksum(Exception):
    """The sensor's answer was damaged on the bus."""


def crc8(data):
    """Return the sensor's checksum; the data sheet's vector is 0xBEEF -> 0x92."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = ((crc << 1) ^ POLYNOMIAL if crc & 0x80 else crc << 1) & 0xFF
    return crc


class EnvironmentSensor:
    """The sensor on a HAL's bus."""

    def __init__(self, hal):
        self._hal = hal

    def is_present(self):
        """Whether somebody answers at the sensor's address."""
        try:
            self._hal.i2c_write(ADDRESS, READ_SERIAL_NUMBER)
        except OSError:
            return False
        return True

    def start(self):
        """Begin a measurement; the answer is there 8.3 ms later.

        Raises:
            OSError: nobody answers.
        """
        self._hal.i2c_write(ADDRESS, MEASURE_HIGH_PRECISION)

    def read(self):
        """Return (temperature in 0.01 degree Celsius, relative humidity in 0.01 percent).

        Raises:
            OSError: nobody answers, or the measurement is not ready.
            SensorChecksum: the answer was damaged.
        """
        answer = self._hal.i2c_read(ADDRESS, ANSWER_BYTES)
        temperature = _word(answer, 0)
        humidity = _word(answer, 3)
        # Rounded to the nearest; the sensor may say a little below 0 % or above 100 %.
        centidegrees = (17500 * temperature + 32767) // 65535 - 4500
        centipercent = (12500 * humidity + 32767) // 65535 - 600
        return centidegrees, min(max(centipercent, 0), 10000)


def _word(answer, start):
    if crc8(answer[start : start + 2]) != answer[start + 2]:
        raise SensorChecksum("the sensor's checksum is wrong")
    return (answer[start] << 8) | answer[start + 1]
