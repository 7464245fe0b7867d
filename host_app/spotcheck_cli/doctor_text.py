"""The doctor's words: what was found and what cures it, in English and Chinese, by code.

A cure is empty where there is nothing to do.
"""

from spotcheck_device.doctor.finding import Finding, Outcome

TITLES: dict[str, tuple[str, str]] = {
    "configuration": ("configuration", "配置文件"),
    "correction": ("correction set", "修正数据"),
    "state": ("state folder", "状态目录"),
    "keys": ("private keys", "私钥"),
    "filesystem": ("file system", "文件系统"),
    "room": ("free space", "剩余空间"),
    "disk": ("disk sync", "磁盘同步"),
    "recordings": ("recordings", "录波目录"),
    "front-end": ("pulse front end", "脉冲前端"),
    "samples": ("sample source", "采样数据源"),
    "serial-latency": ("serial latency", "串口延迟"),
    "listen": ("address for hosts", "主机连接地址"),
    "unit": ("systemd unit", "systemd 单元"),
    "packages": ("packages", "软件包"),
    "kernels": ("kernels", "计算内核"),
    "utc": ("UTC", "UTC 时间"),
    "battery-clock": ("battery clock", "电池时钟"),
    "pps": ("PPS", "秒脉冲"),
    "governor": ("processor rate", "处理器频率"),
    "memory": ("memory", "内存"),
    "limits": ("limits", "进程限制"),
}

OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.OK: ("ok", "正常"),
    Outcome.WARNING: ("warning", "注意"),
    Outcome.FAILED: ("failed", "不合格"),
}

HEADINGS = (("check", "检查项"), ("", ""), ("found", "情况"), ("cure", "处理"))

_STOP_DAEMON = (
    "stop the daemon to have it examined: systemctl stop spotcheck-device",
    "如需检查, 先停止守护进程: systemctl stop spotcheck-device",
)
_NONE = ("", "")

WORDS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "configuration.good": (("{path} is read", "{path} 可读"), _NONE),
    "configuration.wrong": (
        ("{text}", "{text}"),
        (
            "mend the key that is named; device/systemd/spotcheck-device.toml is a sample",
            "改正所指的键; 参见示例 device/systemd/spotcheck-device.toml",
        ),
    ),
    "correction.good": (
        ("{certificate}, until {valid_until}", "{certificate}, 有效至 {valid_until}"),
        _NONE,
    ),
    "correction.unreadable": (
        ("{text}", "{text}"),
        (
            "put the file that calibration issued at the path of correction_set",
            "将校准给出的文件放到 correction_set 所指路径",
        ),
    ),
    "correction.other-instrument": (
        (
            "the set is of {instrument}, this is {device_id}",
            "修正数据属于 {instrument}, 本机为 {device_id}",
        ),
        (
            "install this instrument's own set, or mend device_id",
            "安装本机的修正数据, 或改正 device_id",
        ),
    ),
    "correction.expired": (
        ("expired on {valid_until}", "已于 {valid_until} 到期"),
        ("have the instrument calibrated; official results are barred", "送校; 不得出具正式结果"),
    ),
    "correction.from-the-future": (
        (
            "issued on {issued_on}, which the clock has not reached",
            "签发日期 {issued_on} 晚于本机时间",
        ),
        ("set the clock", "校正时钟"),
    ),
    "correction.demonstration": (
        ("{certificate} is for demonstrations", "{certificate} 仅供演示"),
        (
            "install the instrument's own set before a real measurement",
            "正式测量前安装本机修正数据",
        ),
    ),
    "correction.ends-soon": (
        ("{days} days left", "剩余 {days} 天"),
        ("send the instrument to calibration", "安排送校"),
    ),
    "state.good": (("{path}, mode {mode}", "{path}, 权限 {mode}"), _NONE),
    "state.missing": (
        ("{path} is no folder", "{path} 不是目录"),
        (
            "make it: install -d -m 700 -o spotcheck {path}",
            "创建: install -d -m 700 -o spotcheck {path}",
        ),
    ),
    "state.not-writable": (
        ("{path}: {text}", "{path}: {text}"),
        (
            "give it to the daemon's user, or run the doctor as that user",
            "改属守护进程用户, 或以该用户运行检查",
        ),
    ),
    "state.open": (
        ("{path}, mode {mode}: others may read it", "{path}, 权限 {mode}: 其他用户可读"),
        ("chmod 700 {path}", "chmod 700 {path}"),
    ),
    "keys.good": (("{keys} found, none open to others", "{keys} 个, 均未对他人开放"), _NONE),
    "keys.open": (
        ("{path}, mode {mode}: others may read it", "{path}, 权限 {mode}: 其他用户可读"),
        (
            "chmod 600 {path}; if others had access, make a new key and pair again",
            "chmod 600 {path}; 若他人曾可访问, 重新生成密钥并配对",
        ),
    ),
    "filesystem.good": (("{filesystem}", "{filesystem}"), _NONE),
    "filesystem.volatile": (
        (
            "{path} lies on {filesystem}, which a power cut or an update empties",
            "{path} 位于 {filesystem}, 断电或更新后丢失",
        ),
        ("put state_folder on a disk (ext4, f2fs)", "将 state_folder 放在磁盘上 (ext4, f2fs)"),
    ),
    "room.good": (("{free_mb} MB", "{free_mb} MB"), _NONE),
    "room.little": (
        ("{free_mb} MB", "{free_mb} MB"),
        ("fetch recordings and delete them here", "取走录波并在本机删除"),
    ),
    "room.none": (
        ("{free_mb} MB: results may not be kept", "{free_mb} MB: 结果可能无法保存"),
        ("fetch recordings and delete them here", "取走录波并在本机删除"),
    ),
    "recordings.good": (("{path}, {free_mb} MB", "{path}, {free_mb} MB"), _NONE),
    "recordings.not-writable": (
        ("{path}: {text}", "{path}: {text}"),
        (
            "choose a record_folder that the daemon may write; its unit allows the state folder",
            "选择守护进程可写的 record_folder; 其单元允许写状态目录",
        ),
    ),
    "disk.good": (
        (
            "fsync of 4 KiB: median {median_ms} ms, worst {worst_ms} ms",
            "4 KiB fsync: 中位 {median_ms} ms, 最长 {worst_ms} ms",
        ),
        _NONE,
    ),
    "disk.slow": (
        (
            "fsync of 4 KiB: median {median_ms} ms, worst {worst_ms} ms",
            "4 KiB fsync: 中位 {median_ms} ms, 最长 {worst_ms} ms",
        ),
        (
            "results arrive late; use eMMC or an industrial card with power-fail protection",
            "结果会延迟; 使用 eMMC 或带掉电保护的工业卡",
        ),
    ),
    "front-end.good": (
        (
            "{port}: firmware {firmware}, table {table}, counter {counter_hz} Hz, {inputs} inputs",
            "{port}: 固件 {firmware}, 消息表 {table}, 计数器 {counter_hz} Hz, {inputs} 路输入",
        ),
        _NONE,
    ),
    "front-end.self-test": (
        ("{port}: self-test failed: {broken}", "{port}: 自检失败: {broken}"),
        (
            "start it anew; if it fails again, install the firmware anew or replace the front end",
            "重新上电; 若再失败, 重装固件或更换脉冲前端",
        ),
    ),
    "front-end.incomplete": (
        (
            "{port}: firmware {firmware}, missing: {broken}",
            "{port}: 固件 {firmware}, 缺少: {broken}",
        ),
        ("plug in the clamps; look at the I²C wiring", "插上电流钳; 检查 I²C 接线"),
    ),
    "front-end.watchdog": (
        (
            "{port}: firmware {firmware} was restarted by its watchdog",
            "{port}: 固件 {firmware} 曾被看门狗重启",
        ),
        (
            "look for front-end-lost in the log; update the firmware if it comes back",
            "在日志中查找 front-end-lost; 若再现则更新固件",
        ),
    ),
    "front-end.absent": (
        ("{port}: {text}", "{port}: {text}"),
        (
            "plug in the front end; install device/systemd/99-spotcheck.rules",
            "插上脉冲前端; 安装 device/systemd/99-spotcheck.rules",
        ),
    ),
    "front-end.no-port": (
        ("{port} is no serial port", "{port} 不是串口"),
        ("name the front end's port in pulses", "在 pulses 中写明脉冲前端的串口"),
    ),
    "front-end.not-permitted": (
        ("{port}, mode {mode}: this user may not open it", "{port}, 权限 {mode}: 当前用户无权打开"),
        (
            "add the daemon's user to the port's group: usermod -aG dialout spotcheck",
            "将守护进程用户加入串口组: usermod -aG dialout spotcheck",
        ),
    ),
    "front-end.in-use": (
        ("{port} is held by another program", "{port} 被其他程序占用"),
        ("end that program (fuser {port} names it)", "结束该程序 (fuser {port} 可查)"),
    ),
    "front-end.silent": (
        (
            "{port}: no answer, {heard_bytes} bytes that are none",
            "{port}: 无应答, 收到 {heard_bytes} 个无效字节",
        ),
        ("check cable, speed and firmware of the front end", "检查脉冲前端的线缆, 波特率和固件"),
    ),
    "front-end.other-version": (
        (
            "{port}: message table {version} is not this software's",
            "{port}: 消息表版本 {version} 与本软件不符",
        ),
        ("update the firmware or this software", "更新固件或本软件"),
    ),
    "front-end.left-alone": (
        ("not asked: the daemon is running with it", "未询问: 守护进程正在使用"),
        _STOP_DAEMON,
    ),
    "samples.good": (
        (
            "{samples}: {sample_rate_hz} S/s, {phases} phases, {voltage_range}, {current_range}",
            "{samples}: {sample_rate_hz} S/s, {phases} 相, {voltage_range}, {current_range}",
        ),
        _NONE,
    ),
    "samples.unreachable": (
        ("{samples}: {text}", "{samples}: {text}"),
        ("start the source of samples, or mend its address", "启动采样数据源, 或改正地址"),
    ),
    "samples.silent": (
        ("{samples} answers, but says no format", "{samples} 已连接, 但未给出格式"),
        (
            "is it the sample stream, and does it serve no other program?",
            "确认是采样数据流, 且未被其他程序占用",
        ),
    ),
    "samples.damaged": (
        ("{samples}: {text}", "{samples}: {text}"),
        ("the address is of something else, or of another version", "地址属于其他服务或其他版本"),
    ),
    "samples.not-usable": (
        (
            "{samples}: {voltage_range}, {current_range}: {text}",
            "{samples}: {voltage_range}, {current_range}: {text}",
        ),
        ("choose a calibrated range, or calibrate this one", "选择已校准的量程, 或校准该量程"),
    ),
    "samples.no-device": (
        ("{device}: {state}", "{device}: {state}"),
        (
            "enable the bus (dtparam=spi=on); install device/systemd/99-spotcheck.rules",
            "启用总线 (dtparam=spi=on); 安装 device/systemd/99-spotcheck.rules",
        ),
    ),
    "samples.iio": (
        (
            "{samples}: {phases} phases; libiio is there, the device was not opened",
            "{samples}: {phases} 相; libiio 可用, 未打开设备",
        ),
        _NONE,
    ),
    "samples.recording": (
        ("{samples} is a recording, no measurement", "{samples} 是录波回放, 非实测"),
        _NONE,
    ),
    "samples.left-alone": (
        ("not asked: the daemon is running with it", "未询问: 守护进程正在使用"),
        _STOP_DAEMON,
    ),
    "serial-latency.good": (("{port}: {latency_ms} ms", "{port}: {latency_ms} ms"), _NONE),
    "serial-latency.none": (("{port} has no latency timer", "{port} 无延迟定时器"), _NONE),
    "serial-latency.high": (
        ("{port} holds bytes back for {latency_ms} ms", "{port} 缓存字节 {latency_ms} ms"),
        (
            "install device/systemd/99-spotcheck.rules and plug in again",
            "安装 device/systemd/99-spotcheck.rules 后重新插拔",
        ),
    ),
    "listen.free": (("{host_listen} is free", "{host_listen} 空闲"), _NONE),
    "listen.answers": (("{host_listen} answers", "{host_listen} 有应答"), _NONE),
    "listen.any-port": (
        ("{host_listen}: the daemon took a free port", "{host_listen}: 守护进程已取空闲端口"),
        _NONE,
    ),
    "listen.taken": (
        ("{host_listen}: {text}", "{host_listen}: {text}"),
        (
            "choose an address of this machine and a port that is free in host_listen",
            "在 host_listen 中选用本机地址和空闲端口",
        ),
    ),
    "listen.silent": (
        (
            "the daemon runs, but {host_listen} does not answer: {text}",
            "守护进程在运行, 但 {host_listen} 无应答: {text}",
        ),
        (
            "was the configuration changed since it started? systemctl restart spotcheck-device",
            "启动后是否改过配置? systemctl restart spotcheck-device",
        ),
    ),
    "unit.active": (("{unit} is active", "{unit} 运行中"), _NONE),
    "unit.not-active": (
        ("{unit} is {state}", "{unit} 状态: {state}"),
        ("systemctl enable --now {unit}", "systemctl enable --now {unit}"),
    ),
    "unit.by-hand": (
        (
            "a daemon runs, but {unit} is {state}",
            "守护进程在运行, 但 {unit} 状态: {state}",
        ),
        (
            "started by hand it is not restarted when it fails; enable the unit",
            "手动启动的进程出错后不会重启; 启用该单元",
        ),
    ),
    "unit.no-systemd": (
        ("there is no systemctl", "没有 systemctl"),
        (
            "whatever starts the daemon must restart it and read its standard error",
            "启动方须负责重启并读取标准错误输出",
        ),
    ),
    "packages.good": (("Python {python}, {packages}", "Python {python}, {packages}"), _NONE),
    "packages.missing": (
        ("{package} is not installed", "未安装 {package}"),
        (
            "install from requirements.txt with --require-hashes",
            "按 requirements.txt 以 --require-hashes 安装",
        ),
    ),
    "kernels.good": (
        (
            "sums by {sums}, waveforms by {waveforms} ({machine}); same bits as NumPy",
            "求和 {sums}, 波形 {waveforms} ({machine}); 与 NumPy 逐位一致",
        ),
        _NONE,
    ),
    "kernels.plain": (
        (
            "this processor runs the plain kernels only ({machine})",
            "该处理器仅支持普通内核 ({machine})",
        ),
        (
            "results are the same; 8 channels at 32 kS/s may need more of a core",
            "结果相同; 8 通道 32 kS/s 时占用更多处理器",
        ),
    ),
    "kernels.wrong": (
        ("sums by {sums} are not those of NumPy", "{sums} 求和与 NumPy 不一致"),
        (
            "do not measure; install anew, then suspect memory and processor",
            "停止测量; 重新安装, 再检查内存与处理器",
        ),
    ),
    "utc.good": (
        ("{utc}, within {largest_error_s} s", "{utc}, 误差不超过 {largest_error_s} s"),
        _NONE,
    ),
    "utc.unknown": (
        ("{utc}; the kernel does not say whether it is disciplined", "{utc}; 内核未说明是否同步"),
        ("compare it with a clock that you trust", "与可信时钟核对"),
    ),
    "utc.implausible": (
        ("{utc} cannot be", "{utc} 不可能"),
        ("set the clock; renew the battery of the battery clock", "校正时钟; 更换时钟电池"),
    ),
    "utc.not-synchronised": (
        ("{utc}, not held by NTP, PTP or GPS", "{utc}, 未由 NTP, PTP 或 GPS 同步"),
        (
            "start chrony or systemd-timesyncd, or set the clock by hand once a month",
            "启用 chrony 或 systemd-timesyncd, 或每月手动校时",
        ),
    ),
    "battery-clock.good": (
        ("{offset_s} s from UTC", "与 UTC 相差 {offset_s} s"),
        _NONE,
    ),
    "battery-clock.none": (
        ("there is none", "没有"),
        ("without a network the date is lost with the power", "无网络时断电后日期丢失"),
    ),
    "battery-clock.off": (
        ("{offset_s} s from UTC", "与 UTC 相差 {offset_s} s"),
        (
            "hwclock --systohc; renew its battery if it comes back",
            "hwclock --systohc; 若再现则换电池",
        ),
    ),
    "pps.none": (
        (
            "none at the board; the front end's input is another one",
            "主板无; 脉冲前端的输入另计",
        ),
        _NONE,
    ),
    "pps.good": (("{source}, {age_s} s ago", "{source}, {age_s} s 前"), _NONE),
    "pps.silent": (
        ("{source} was silent for {age_s} s", "{source} 已 {age_s} s 无脉冲"),
        ("give the GPS receiver a view of the sky", "将 GPS 天线置于开阔处"),
    ),
    "governor.good": (("{governor}", "{governor}"), _NONE),
    "governor.none": (("the system does not change it", "系统不调节"), _NONE),
    "governor.slow": (
        ("{governor}", "{governor}"),
        (
            "cpupower frequency-set -g schedutil (or performance)",
            "cpupower frequency-set -g schedutil (或 performance)",
        ),
    ),
    "memory.good": (("{available_mb} MB available", "可用 {available_mb} MB"), _NONE),
    "memory.little": (
        ("{available_mb} MB available", "可用 {available_mb} MB"),
        ("end what else runs on the board", "结束主板上的其他程序"),
    ),
    "memory.none": (
        ("{available_mb} MB available", "可用 {available_mb} MB"),
        (
            "end what else runs on the board; the daemon takes 300 MB",
            "结束其他程序; 守护进程约需 300 MB",
        ),
    ),
    "limits.good": (
        (
            "{open_files} open files, nice down to {lowest_nice}, real-time {realtime_priority}",
            "可打开文件 {open_files}, 最低 nice {lowest_nice}, 实时优先级 {realtime_priority}",
        ),
        _NONE,
    ),
    "limits.files": (
        ("only {open_files} open files", "仅可打开 {open_files} 个文件"),
        ("raise LimitNOFILE of the unit to 1024", "将单元的 LimitNOFILE 提高到 1024"),
    ),
}


def words_of(finding: Finding, language: str) -> tuple[str, str]:
    """What was found, and its cure, in `en` or `zh`."""
    number = ("en", "zh").index(language)
    found, cure = WORDS[finding.code]
    return found[number].format(**finding.facts), cure[number].format(**finding.facts)


def title_of(finding: Finding, language: str) -> str:
    """Name of the check in `en` or `zh`."""
    return TITLES[finding.check][("en", "zh").index(language)]


def outcome_word(outcome: Outcome, language: str) -> str:
    """The outcome in `en` or `zh`."""
    return OUTCOMES[outcome][("en", "zh").index(language)]
