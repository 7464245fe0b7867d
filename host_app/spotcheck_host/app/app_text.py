"""The words of the windows, in Chinese and English; reports' words are in `report_text`."""

from spotcheck_host.report_text import Language

TEXTS: dict[str, tuple[str, str]] = {
    # key: (Chinese, English)
    "title": ("现场检验", "On-site verification"),
    "language": ("English", "中文"),
    "theme": ("主题", "Theme"),
    "theme_dark": ("深色", "Dark"),
    "theme_light": ("浅色", "Light"),
    "theme_sunlight": ("强光", "Sunlight"),
    "start": ("开始", "Start"),
    "stop": ("停止", "Stop"),
    "yes": ("是，已调转", "Yes, it was turned"),
    "no": ("否", "No"),
    "open_report": ("打开报告", "Open the report"),
    "zoom": ("放大波形", "Zoom the waveforms"),
    # meter data
    "meter": ("被检电能表", "Meter under test"),
    "serial": ("表号", "Serial number"),
    "class": ("准确度等级", "Accuracy class"),
    "constant": ("电能表常数", "Meter constant"),
    "currents": ("电流 Ib(Imax)", "Current Ib(Imax)"),
    "voltage": ("参比电压 V", "Rated voltage V"),
    "connection": ("接入方式", "Connection"),
    "direct": ("直接接入式", "direct"),
    "transformer": ("经互感器接入式", "by transformer"),
    "rule": ("依据规程", "Rule"),
    "bad_class": ("没有这个等级", "no such class"),
    "bad_constant": ("请写成 1200 imp/kWh", "write it as 1200 imp/kWh"),
    "bad_currents": ("请写成 5(60) A", "write it as 5(60) A"),
    "bad_voltage": ("请写成正数，如 220", "a positive number, as in 220"),
    "bad_meter": ("数据互相矛盾", "these data contradict each other"),
    # states
    "connecting": ("正在连接装置…", "Connecting to the instrument…"),
    "connected": ("装置 {device} · {certificate}", "Instrument {device} · {certificate}"),
    "ready": ("就绪", "Ready"),
    "settling": ("正在等待负荷稳定", "Settling"),
    "waiting for a pulse": ("等待脉冲", "Waiting for a pulse"),
    "measuring": ("正在测量", "Measuring"),
    "writing": ("正在写报告…", "Writing the report…"),
    "asking": ("请回答问题", "Please answer the question"),
    "finished": ("完成", "Finished"),
    "lost": ("装置通信中断", "The instrument is lost"),
    "left_over": (
        "装置正在为已退出的程序测量：按“停止”结束",
        "The instrument measures for a program that is gone: Stop ends it",
    ),
    "reading_of": ("第 {number} / {readings} 次测量", "reading {number} of {readings}"),
    "pulses": ("{count} 个脉冲", "{count} pulses"),
    # the error
    "caption_error": ("误差 ± 扩展不确定度 U (95 %)", "Error ± expanded uncertainty U (95 %)"),
    "caption_final": (
        "平均误差 ± U (k = {k}，95 %)",
        "Mean error ± U (k = {k}, 95 %)",
    ),
    "hint_not_started": (
        "填好电能表数据后按“开始”",
        "Enter the meter's data, then press Start",
    ),
    "hint_more_pulses": ("从第三个脉冲起显示误差", "The error is shown from the third pulse on"),
    "hint_first_pulse": ("正在等待第一个脉冲", "Waiting for the first pulse"),
    "expect_pulse": (
        "在当前负荷下每 {time}一个脉冲",
        "At this load a pulse every {time}",
    ),
    "expect_verdict": ("约 {time}后得出结论", "Verdict in about {time}"),
    "expect_long": (
        "在当前负荷下每 {time}才有一个脉冲：请接通更大的负荷",
        "At this load a pulse comes only every {time}: switch on a larger load",
    ),
    "expect_no_load": (
        "没有负荷，不会有脉冲：请接通负荷",
        "There is no load, so no pulse will come: switch on a load",
    ),
    # banners
    "banner_stale": (
        "{seconds} 秒没有新数据：画面是旧的",
        "No new data for {seconds} s: what you see is old",
    ),
    "banner_overload": (
        "超量程：采样信号削波，请换用更大的量程或电流钳",
        "Overload: the converter clips; use a larger range or clamp",
    ),
    "banner_negative": (
        "{phases} 功率为负：反向送电，或电流钳接反",
        "Negative power on {phases}: export, or a clamp reversed",
    ),
    "banner_obstacle": ("无法测量：{what}", "Nothing can be measured: {what}"),
    "banner_cannot_work": ("无法工作：{what}", "Cannot work: {what}"),
    "banner_lost": ("装置通信中断：{what}", "The instrument is lost: {what}"),
    "banner_question": (
        "功率为负：是否已将电流钳调转方向？",
        "The power is negative. Has the clamp been turned?",
    ),
    "banner_emulated": (
        "演示：仿真硬件，结果不得作为检验依据",
        "Demonstration: simulated hardware; it proves nothing",
    ),
    "banner_demonstration": (
        "演示用修正数据：结果不得作为检验依据",
        "The correction set is a demonstration's; the result proves nothing",
    ),
    "banner_no_limit": (
        "规程在此负荷点没有限值",
        "The rule has no limit at this load",
    ),
    "banner_no_samples": ("正在等待采样数据", "Waiting for samples"),
    "seconds": ("{value} 秒", "{value} s"),
    "minutes": ("{value} 分钟", "{value} min"),
    # verdict
    "verdict": ("检验结论", "Verdict"),
    "verdict_indicative": ("参考结论", "Indicative verdict"),
    "limit": ("最大允许误差 ±{mpe} %", "MPE ±{mpe} %"),
    "clause": ("依据 {rule}：{clause}", "by {rule}: {clause}"),
    "cure": ("处理办法：{cure}", "What to do: {cure}"),
    "no_verdict": ("尚无结论", "No verdict yet"),
    "of_meter": ("表号 {serial} · {accuracy_class} 级", "Meter {serial} · class {accuracy_class}"),
    "stored": ("检验记录 {case} 已保存", "Case {case} is in the record"),
    # quantities
    "phase": ("L{number}", "L{number}"),
    "total": ("合计", "Total"),
    "quantity_u": ("电压 U / V", "U / V"),
    "quantity_i": ("电流 I / A", "I / A"),
    "quantity_p": ("有功功率 P / W", "P / W"),
    "quantity_q1": ("基波无功 Q1 / var", "Q1 / var"),
    "quantity_s": ("视在功率 S / VA", "S / VA"),
    "quantity_pf": ("功率因数", "PF"),
    "quantity_phi": ("相位差 φ / °", "φ (U, I) / °"),
    "quantity_thd_u": ("THD U / %", "THD U / %"),
    "quantity_thd_i": ("THD I / %", "THD I / %"),
    "quantity_f": ("频率 f / Hz", "f / Hz"),
    # view titles
    "view_waveforms": ("波形", "Waveforms"),
    "view_phasors": ("相量", "Phasors"),
    "view_harmonics": ("谐波", "Harmonics"),
    "view_quantities": ("电参量", "Quantities"),
    "view_running": ("误差随时间的收敛", "Error as it settles"),
}


def text(key: str, language: Language, **places: object) -> str:
    """The text of a key with its places filled."""
    words = TEXTS[key][language == "en"]
    return words.format(**places) if places else words


def duration_text(seconds: float, language: Language) -> str:
    """A time as a person says it: seconds up to two minutes, then minutes."""
    if seconds < 120:
        return text(
            "seconds", language, value=f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}"
        )
    return text("minutes", language, value=f"{seconds / 60:.0f}")
