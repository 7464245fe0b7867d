"""Commands of the board: each is answered by ACK or REFUSED, and one is served at a time.

A command that takes longer is a generator; it goes on at each reading of the counter, every
100 ms, so that pulses are served meanwhile.
"""

import clamp_memory
import environment_sensor
import firmware_update
import frontend_codec as codec
from hal_contract import HAND_SWITCH, INPUTS, OPTICAL_INPUTS
from update_manifest import ForeignManifest

HIGHEST_OUTPUT_HZ = 1000
HIGHEST_LEVEL = 4095


class Refusal(Exception):
    """A command cannot be carried out; `reason` is one of the codec's REFUSED_ codes."""

    def __init__(self, reason):
        super().__init__("refused, reason %d" % reason)
        self.reason = reason


REASONS = {
    environment_sensor.SensorChecksum: codec.REFUSED_SENSOR_CHECKSUM,
    clamp_memory.NoClamp: codec.REFUSED_NO_CLAMP,
    clamp_memory.ClampDamaged: codec.REFUSED_CLAMP_DAMAGED,
    clamp_memory.ClampLocked: codec.REFUSED_CLAMP_LOCKED,
    clamp_memory.OtherSerial: codec.REFUSED_OTHER_SERIAL,
    clamp_memory.ClampNotWritten: codec.REFUSED_CLAMP_NOT_WRITTEN,
    firmware_update.SignatureWrong: codec.REFUSED_SIGNATURE,
    ForeignManifest: codec.REFUSED_OTHER_BOARD,
    firmware_update.Rollback: codec.REFUSED_ROLLBACK,
    firmware_update.ImageLength: codec.REFUSED_IMAGE_LENGTH,
    firmware_update.UpdateOrder: codec.REFUSED_UPDATE_ORDER,
    firmware_update.DigestWrong: codec.REFUSED_DIGEST,
    firmware_update.StillOnTrial: codec.REFUSED_ON_TRIAL,
}


class CommandServer:
    """Carries out commands.

    Args:
        hal: the HAL.
        writer: the FrameWriter.
        parts: what commands act on: `say_hello`, `inputs`, `thresholds`, `output`, `sensor`,
            `clamp` and `update` by these names.
    """

    def __init__(self, hal, writer, parts):
        self._hal = hal
        self._writer = writer
        self._parts = parts
        self._splitter = codec.RunSplitter(codec.FRONT_END_MAX_RUN)
        self._is_busy = False
        self._job = iter(())
        self._job_sequence = 0
        self._job_command = 0
        self._services = {
            codec.HELLO_REQUEST: self._hello,
            codec.SET_GLITCH_FILTER: self._set_glitch_filter,
            codec.SET_THRESHOLD: self._set_threshold,
            codec.SET_PULSE_OUTPUT: self._set_pulse_output,
            codec.READ_ENVIRONMENT: self._read_environment,
            codec.READ_CLAMP: self._read_clamp,
            codec.WRITE_CLAMP: self._write_clamp,
            codec.UNLOCK_CLAMP: self._unlock_clamp,
            codec.BEGIN_UPDATE: self._begin_update,
            codec.UPDATE_DATA: self._update_data,
            codec.FINISH_UPDATE: self._finish_update,
            codec.RESTART: self._restart,
        }

    def take(self, data):
        """Take bytes that came from the board."""
        for run in self._splitter.feed(data):
            if run is None:
                self._writer.fault(codec.FAULT_COMMAND_DAMAGED)
                continue
            try:
                self._command(run)
            except codec.FrameError:
                self._writer.fault(codec.FAULT_COMMAND_DAMAGED)
            except codec.BodyError:
                self._writer.fault(codec.FAULT_COMMAND_UNKNOWN)

    def go_on(self):
        """Let the command that is under way take its next step."""
        if self._is_busy:
            self._step()

    def _command(self, run):
        version, command, sequence, body = codec.parse_frame(run)
        if version != codec.TABLE_VERSION:
            raise codec.BodyError("message table %d" % version)
        fields = codec.unpack_body(command, body)
        service = self._services.get(command)
        if service is None:
            raise codec.BodyError("0x%02X is no command" % command)
        if self._is_busy:
            self._writer.put(codec.REFUSED, sequence, command, codec.REFUSED_BUSY)
            return
        self._job_sequence = sequence
        self._job_command = command
        self._job = self._steps_of(service, fields)
        self._is_busy = True
        self._step()

    def _steps_of(self, service, fields):
        steps = service(*fields)
        if steps is not None:
            yield from steps

    def _step(self):
        try:
            next(self._job)
        except StopIteration:
            self._answer(codec.ACK)
        except Refusal as refusal:
            self._answer(codec.REFUSED, refusal.reason)
        except tuple(REASONS) as error:
            self._answer(codec.REFUSED, REASONS[type(error)])

    def _answer(self, message_type, *reason):
        self._is_busy = False
        self._writer.put(message_type, self._job_sequence, self._job_command, *reason)

    def _hello(self):
        self._parts["say_hello"]()
        # An image that has answered the board can be updated again, so it may stay.
        if self._hal.flash_bytes():
            firmware_update.confirm(self._hal)

    def _set_glitch_filter(self, number, shortest_pulse):
        if number >= INPUTS or number == HAND_SWITCH:
            raise Refusal(codec.REFUSED_INPUT)
        self._parts["inputs"][number].set_filter(shortest_pulse)

    def _set_threshold(self, number, level):
        if number >= OPTICAL_INPUTS:
            raise Refusal(codec.REFUSED_INPUT)
        if level > HIGHEST_LEVEL and level != codec.THRESHOLD_AUTOMATIC:
            raise Refusal(codec.REFUSED_VALUE)
        threshold = self._parts["thresholds"][number]
        threshold.set_level(level)
        if threshold.threshold is not None:
            self._hal.set_threshold(number, threshold.threshold)

    def _set_pulse_output(self, increment, width):
        if increment * self._hal.counter_hz > HIGHEST_OUTPUT_HZ << 64:
            raise Refusal(codec.REFUSED_VALUE)
        try:
            self._parts["output"].set_rate(increment, width)
        except ValueError:
            raise Refusal(codec.REFUSED_VALUE)  # noqa: B904 -- MicroPython keeps no cause

    def _read_environment(self):
        sensor = self._parts["sensor"]
        # The next reading of the counter may come at once, those after it 100 ms apart.
        yield
        try:
            sensor.start()
            yield
            self._writer.put(codec.ENVIRONMENT, *sensor.read())
        except OSError:
            raise Refusal(codec.REFUSED_NO_SENSOR)  # noqa: B904 -- MicroPython keeps no cause

    def _read_clamp(self):
        damaged, written, identity = self._parts["clamp"].read()
        self._writer.put(codec.CLAMP, damaged, written, *identity)

    def _write_clamp(self, *identity):
        return self._parts["clamp"].write_steps(identity)

    def _unlock_clamp(self, serial):
        self._parts["clamp"].unlock(serial)

    def _begin_update(self, manifest, signature):
        if not self._hal.flash_bytes():
            raise Refusal(codec.REFUSED_NO_FLASH)
        return self._parts["update"].begin_steps(manifest, signature)

    def _update_data(self, offset, piece):
        self._parts["update"].data(offset, piece)

    def _finish_update(self):
        return self._parts["update"].finish_steps()

    def _restart(self):
        self._writer.put(codec.ACK, self._job_sequence, codec.RESTART)
        self._writer.flush()
        self._hal.restart()
