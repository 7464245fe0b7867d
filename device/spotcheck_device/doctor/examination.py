"""All checks, in the order in which a person would put things right."""

import datetime
from pathlib import Path

from spotcheck.errors import ConfigurationError
from spotcheck_device.config import DeviceConfig, load_config
from spotcheck_device.doctor.board import check_governor, check_limits, check_memory
from spotcheck_device.doctor.clocks import check_battery_clock, check_pps, check_utc, kernel_clock
from spotcheck_device.doctor.correction import check_correction, read_correction
from spotcheck_device.doctor.finding import Finding, failed, ok, warning
from spotcheck_device.doctor.front_end import check_front_end, check_latency
from spotcheck_device.doctor.sample_source import check_sample_source
from spotcheck_device.doctor.service import check_listen_address, check_unit
from spotcheck_device.doctor.software import check_kernels, check_packages
from spotcheck_device.doctor.state_folder import check_record_folder, check_state_folder
from spotcheck_device.running_lock import daemon_is_running


def examine(path: Path) -> list[Finding]:
    """Everything that can be seen of a machine by its configuration; takes some seconds."""
    try:
        config = load_config(path)
    except ConfigurationError as error:
        return [failed("configuration.wrong", text=str(error)), *_machine()]
    return [
        ok("configuration.good", path=str(path)),
        *_instrument(config),
        *_machine(),
    ]


def _instrument(config: DeviceConfig) -> list[Finding]:
    """What the configuration names."""
    runs = daemon_is_running(Path(config.state_folder))
    correction, findings = read_correction(Path(config.correction_set))
    if correction is not None:
        today = datetime.datetime.now(datetime.UTC).date()
        findings.append(check_correction(correction, config.device_id, today))
    findings += check_state_folder(Path(config.state_folder))
    if config.record_folder:
        findings.append(check_record_folder(Path(config.record_folder)))
    if runs:
        # A daemon that measures is not to lose a pulse or its source to a look.
        findings += [warning("front-end.left-alone"), warning("samples.left-alone")]
    else:
        findings.append(check_front_end(config.pulses, config.pulses_baud))
        findings.append(check_sample_source(config.samples, correction))
    findings.append(check_latency(config.pulses))
    findings.append(check_listen_address(config.host_listen, daemon_runs=runs))
    findings.append(check_unit(daemon_runs=runs))
    return findings


def _machine() -> list[Finding]:
    """What every daemon needs."""
    return [
        check_packages(),
        check_kernels(),
        check_utc(datetime.datetime.now(datetime.UTC), kernel_clock()),
        check_battery_clock(),
        check_pps(),
        check_governor(),
        check_memory(),
        check_limits(),
    ]
