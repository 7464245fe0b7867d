"""The words and numbers of reports and windows in Chinese and English.

Every text stands once, as a pair; a test holds the table to be complete. What comes from people,
devices or rule files is data and is printed as it is, but for the phrases listed here.
"""

import datetime
import math
from typing import Literal

from spotcheck.meter import Connection, Direction, MeteredQuantity, PulseOutput
from spotcheck.reading import CURES, Method, Reason, TimeBase
from spotcheck.verdict import CombinedError, Judgement

Language = Literal["zh", "en"]
_BEIJING = datetime.timezone(datetime.timedelta(hours=8))
LABELS: dict[str, tuple[str, str]] = {
    # key: (Chinese, English)
    "title": ("电能表现场检验报告", "Electricity meter on-site test report"),
    "case": ("案件编号", "Case"),
    "issued": ("签发时间", "Issued"),
    "operator": ("检验员", "Operator"),
    "checker": ("核验员", "Checked by"),
    "tester": ("检验员", "Tested by"),
    "date": ("日期", "Date"),
    "page": ("第 {page} 页 共 {pages} 页", "Page {page} of {pages}"),
    "record": ("记录链末端", "Record head"),
    "scan": ("扫码核对案件与记录", "Scan to compare case and record"),
    # headline and verdict
    "verdict": ("检验结论", "Verdict"),
    "verdict_indicative": ("参考结论", "Indicative verdict"),
    "sentence": (
        "该表误差为 {error} % ± {u} % (k = {k}，包含概率 95 %)",
        "This meter errs by {error} % ± {u} % (k = {k}, 95 %)",
    ),
    "sentence_none": ("本次测试未得出可判定的误差。", "No error could be judged."),
    "mpe": ("最大允许误差", "Maximum permissible error"),
    "rounded": ("误差修约值", "Rounded error"),
    "step": (" (修约间隔 {step} %)", " (step {step} %)"),
    "acceptance": ("判定界限", "Acceptance limit"),
    "clause": ("依据条款", "Clause"),
    "reason": ("原因", "Reason"),
    "cure": ("处理办法", "What to do"),
    "found": ("检测到的情况", "What was found"),
    "risk_guarded": (
        "95 % 区间整体位于判定界限的一侧，误判风险不超过 2.5 % (JCGM 106:2012，8.3)。",
        "The whole 95 % interval lies on one side of the acceptance limit: "
        "the risk of a wrong verdict is at most 2.5 % (JCGM 106:2012, 8.3).",
    ),
    "risk_undecided": (
        "95 % 区间跨越判定界限，既不能判合格，也不能判不合格；应延长测量或复测。",
        "The 95 % interval straddles the acceptance limit: the meter can be called neither good "
        "nor bad. Measure longer, or again.",
    ),
    "risk_simple": (
        "简单接受判据：误差接近限值时，误判风险可达 50 %。",
        "Simple acceptance: close to the limit the risk of a wrong verdict reaches 50 %.",
    ),
    "risk_none": (
        "未作合格与否的判定。已测数值 (如有) 仅供参考。",
        "The meter was not judged. Values measured, if any, are for information only.",
    ),
    # notices
    "notice_emulated": (
        "演示：在仿真硬件上测得 (非真实电能表)，使用演示密钥签名，无任何证明效力。",
        "Demonstration: measured on simulated hardware (emulated, no real meter), signed with a "
        "demonstration key. It proves nothing.",
    ),
    "notice_emulated_only": (
        "在仿真硬件上测得 (非真实电能表)，无任何证明效力。",
        "Measured on simulated hardware (emulated, no real meter). It proves nothing.",
    ),
    "notice_demonstration": (
        "演示：使用演示密钥签名，无任何证明效力。",
        "Demonstration: signed with a demonstration key. It proves nothing.",
    ),
    "notice_indicative": (
        "所用规程为实验室规程，用于现场时结论仅供参考。",
        "A laboratory rule was applied on site: the verdict is indicative only.",
    ),
    "notice_unverified": (
        "规程数据未与规程正式文本核对。来源：{source}。",
        "The rule's figures were not verified against the regulation's own text. Source: {source}.",
    ),
    # meter under test
    "meter": ("被检电能表", "Meter under test"),
    "serial": ("表号", "Serial number"),
    "class": ("准确度等级", "Accuracy class"),
    "constant": ("电能表常数", "Meter constant"),
    "wiring": ("接线方式", "Wiring"),
    "phases_1": ("单相", "single-phase"),
    "phases_3": ("三相四线", "three-phase four-wire"),
    "rating": ("参比电压、电流", "Rated voltage, current"),
    "pulse_output": ("脉冲输出", "Pulse output"),
    "quantity": ("计量量", "Quantity"),
    # readings
    "readings": ("基本误差测量值", "Readings of the error"),
    "number": ("序号", "No."),
    "error": ("误差 %", "Error %"),
    "u_expanded": ("扩展不确定度 U %", "Expanded U %"),
    "k": ("包含因子 k", "k"),
    "dof": ("有效自由度", "Eff. d.o.f."),
    "gate_error": ("定脉冲法 %", "Gate error %"),
    "pulses": ("脉冲 (剔除/漏计)", "Pulses (rejected/missing)"),
    "duration": ("时长 s", "Duration s"),
    "residual": ("残差 ms", "Residual ms"),
    "mean": ("平均", "Mean"),
    "no_readings": ("没有测量值。", "There are no readings."),
    # conditions
    "conditions": ("测试条件", "Conditions"),
    "phase": ("相", "Phase"),
    "u": ("电压 V", "U / V"),
    "i": ("电流 A", "I / A"),
    "p": ("功率 W", "P / W"),
    "pf": ("功率因数", "PF"),
    "thd_u": ("THD U %", "THD U %"),
    "thd_i": ("THD I %", "THD I %"),
    "total": ("合计", "Total"),
    "frequency": ("频率", "Frequency"),
    "instability": ("功率波动", "Power instability"),
    "no_conditions": ("无法测得。", "They could not be measured."),
    # uncertainty budget
    "budget": ("不确定度分量 (末次测量)", "Uncertainty budget (last reading)"),
    "component": ("分量", "Component"),
    "u_standard": ("u %", "u %"),
    "nu": ("自由度", "ν"),
    "share": ("占比 %", "Share %"),
    "other": ("其余 {count} 项", "{count} others"),
    "combined_u": ("合成标准不确定度", "Combined standard uncertainty"),
    # basis
    "basis": ("方法与溯源", "Method and traceability"),
    "rule": ("依据规程", "Rule"),
    "edition": (" ({edition} 版)", " (edition {edition})"),
    "method": ("测量方法", "Method"),
    "time_base": ("时基", "Time base"),
    "instrument": ("标准装置", "Instrument"),
    "device_key": ("测量结果的装置签名密钥", "Results signed by the device's key"),
    "correction": ("校准证书", "Calibration certificate"),
    "valid_until": ("有效期至", "valid until"),
    "correction_set": ("修正数据 SHA-256", "Correction set SHA-256"),
    "evidence": ("原始数据 SHA-256", "Evidence SHA-256"),
    "software": ("软件", "Software"),
    "plot": ("误差随时间的收敛", "Error as it settled"),
    # running error plot
    "plot_time": ("测量时间 / s", "Measuring time / s"),
    "plot_error": ("误差 / %", "Error / %"),
    "plot_running": ("误差", "error"),
    "plot_band": ("95 % 区间", "95 % interval"),
    "plot_limit": ("最大允许误差 ±{mpe} %", "MPE ±{mpe} %"),
    "plot_true": ("真值 (仿真) {error} %", "true error (simulator) {error} %"),
}

JUDGEMENTS: dict[Judgement, tuple[str, str]] = {
    Judgement.PASS: ("合格", "PASS"),
    Judgement.FAIL: ("不合格", "FAIL"),
    Judgement.UNDECIDED: ("待定", "UNDECIDED"),  # JJF 1094: the zone of neither
    Judgement.CANNOT_JUDGE: ("不能判定", "CANNOT JUDGE"),
}

REASONS: dict[Reason, tuple[str, str]] = {
    Reason.NO_LOAD: ("无负荷", "请接通负荷"),
    Reason.LOAD_TOO_SMALL: ("负荷过小", "请接通更大的负荷"),
    Reason.POWER_FACTOR_TOO_LOW: ("功率因数过低", "请接通电阻性负荷"),
    Reason.OUTAGE: ("停电", "请检查电压引线和供电"),
    Reason.VOLTAGE_ABNORMAL: ("电压异常", "请检查电压引线及所输入的参比电压"),
    Reason.FREQUENCY_OUT_OF_RANGE: ("频率超出范围", "请检查供电；支持 45 Hz 至 65 Hz"),
    Reason.OVERLOAD: ("过载", "请选用更大的量程或电流钳"),
    Reason.DISTORTION: ("波形畸变过大", "请断开引起畸变的负荷"),
    Reason.UNSTABLE_LOAD: ("负荷不稳定", "请等待负荷稳定，或延长测量时间"),
    Reason.NEGATIVE_POWER: (
        "功率为负",
        "用户是否向电网送电，或电流钳接反？请将电流钳调转方向，或确认为反向电能",
    ),
    Reason.NO_PULSES: ("没有脉冲", "请将光电头对准电能表的脉冲指示灯"),
    Reason.TOO_FEW_PULSES: ("脉冲数不足", "请接通更大的负荷，或延长时间"),
    Reason.PULSES_IMPLAUSIBLE: ("脉冲不合理", "请检查所输入的电能表常数及电流钳所在相别"),
    Reason.PULSES_IRREGULAR: ("脉冲不规则", "请为光电头遮光并重新对准"),
    Reason.DATA_LOST: ("数据丢失", "请检查前端的电缆，然后重新测量"),
    Reason.FRONT_END_LOST: ("脉冲前端断开", "请插好脉冲前端，然后重新测量"),
    Reason.SAMPLES_LOST: ("采样中断", "请检查模拟前端，然后重新测量"),
    Reason.DEVICE_LOST: ("装置失去联系", "请打开装置电源，然后重新测量"),
    Reason.RESULT_NOT_SIGNED: (
        "结果没有装置的有效签名",
        "查明是谁改动了结果之前，请勿使用这台计算机或这条链路；之后重新与装置配对",
    ),
    Reason.TIME_BASE_DOUBTFUL: ("时基可疑", "请检查或断开 PPS 接收机；并校准装置时钟"),
    Reason.REFERENCE_NOT_CALIBRATED: ("标准未校准", "请载入本装置及量程的修正数据"),
    Reason.CALIBRATION_EXPIRED: ("校准已过期", "请将装置送校"),
    Reason.UNCERTAINTY_TOO_LARGE: ("不确定度过大", "请延长测量时间，或使用更好的电流钳"),
    Reason.NO_LIMIT_AT_THIS_LOAD: (
        "该负荷点没有规定限值",
        "请选择规程所覆盖的负荷，或改用其他规程",
    ),
    Reason.READINGS_DISAGREE: ("各次测量不一致", "请等待负荷稳定，然后重新测量"),
    Reason.RECORD_STORE_FULL: ("记录存储已满", "请释放磁盘空间，然后重新测量"),
    Reason.QUANTITY_NOT_SUPPORTED: ("不支持该计量量", "请使用电能表的有功电能脉冲输出"),
    Reason.REFUSED: ("装置拒绝执行", "请按装置所述改正，然后重新测量"),
    Reason.STOPPED: ("测量已停止", "准备好后请重新开始"),
}
"""Chinese names and cures; the English ones are the domain's own."""

WORDS: dict[object, tuple[str, str]] = {
    MeteredQuantity.ACTIVE_ENERGY: ("有功电能", "active energy"),
    MeteredQuantity.REACTIVE_ENERGY: ("无功电能", "reactive energy"),
    MeteredQuantity.VOLUME: ("体积", "volume"),
    Direction.IMPORT: ("正向", "import"),
    Direction.EXPORT: ("反向", "export"),
    Connection.DIRECT: ("直接接入", "direct"),
    Connection.TRANSFORMER: ("经互感器接入", "by current transformer"),
    PulseOutput.UNKNOWN: ("未知", "unknown"),
    PulseOutput.SMOOTHED: ("平滑", "smoothed"),
    PulseOutput.PULSATING: ("脉动", "pulsating"),
    Method.LEAST_SQUARES_LINE: (
        "脉冲序号对电能的最小二乘直线",
        "least-squares line through (pulse, energy)",
    ),
    Method.ANY_FILTER_LINE: (
        "脉冲序号对电能的加权直线 (脉冲输出滤波未知)",
        "weighted line through (pulse, energy) for any filter of the pulse output",
    ),
    Method.GATE: ("首末脉冲定脉冲法", "gate of two pulses"),
    TimeBase.FREE_RUNNING: ("自由振荡", "free running"),
    TimeBase.PPS_DISCIPLINED: ("PPS 驯服", "PPS disciplined"),
    TimeBase.PPS_HOLDOVER: ("PPS 保持", "PPS holdover"),
}

PHRASES: tuple[tuple[str, str], ...] = (
    ("table of basic error", "基本误差限表"),
    ("rounding of the running error", "运行误差修约"),
    ("running error", "运行误差"),
    ("basic error", "基本误差"),
    ("tables as quoted in makers' and utilities' documents", "制造厂及供电企业文件所引用的表格"),
    ("secondary source", "二手资料"),
    ("on request", "按需"),
    ("class 1 ", "1 级 "),
    ("class 2 ", "2 级 "),
    ("repeatability of the pulses", "脉冲重复性"),
    ("repeatability", "重复性"),
    ("pulse scatter (Type A)", "脉冲分散性 (A 类)"),
    ("kind of pulse output", "脉冲输出类型"),
    ("meter's tick", "电能表计量节拍"),
    ("front-end noise", "前端噪声"),
    ("phase lag", "相位滞后"),
    ("channel skew", "通道时差"),
    ("voltage gain", "电压增益"),
    ("current gain", "电流增益"),
    ("phase displacement", "相位差"),
    ("time base", "时基"),
    ("sample clock", "采样时钟"),
    ("temperature", "温度"),
    ("pulse output", "脉冲输出"),
    ("optical head", "光电头"),
    ("reference standard", "标准器"),
    ("clamp", "电流钳"),
    ("drift", "漂移"),
    ("ripple", "纹波"),
    ("noise", "噪声"),
    ("offset", "零偏"),
)
"""Phrases of rule files and budgets that the Chinese report puts into Chinese."""


def label(key: str, language: Language) -> str:
    """The text of that key."""
    return LABELS[key][language == "en"]


def word(value: object, language: Language) -> str:
    """The word for a value of the vocabulary."""
    if isinstance(value, Judgement):
        return JUDGEMENTS[value][language == "en"]
    return WORDS[value][language == "en"]


def reason_and_cure(reason: Reason, language: Language) -> tuple[str, str]:
    """What stands in the way of a verdict, and what the person can do."""
    return REASONS[reason] if language == "zh" else (reason.value, CURES[reason])


def phrase(text: str, language: Language) -> str:
    """Data with its known English phrases put into the language."""
    if language == "zh":
        for english, chinese in PHRASES:
            text = text.replace(english, chinese)
    return text


def error_sentence(combined: CombinedError, language: Language) -> str:
    """The result in a sentence: error ± U, both to two significant digits of U (GUM 7.2.6)."""
    error, u = with_uncertainty(combined.error_percent, combined.expanded_uncertainty_percent)
    k = f"{combined.coverage_factor:.2f}"
    return label("sentence", language).format(error=error, u=u, k=k)


def with_uncertainty(value: float, expanded: float) -> tuple[str, str]:
    """Value with its sign and U, to the decimal place of U's second significant digit."""
    if not (math.isfinite(expanded) and expanded > 0):
        return signed(value, 3), fixed(expanded, 3)
    exponent = math.floor(math.log10(float(f"{expanded:.1e}")))
    places = max(0, 1 - exponent)
    return signed(value, places), fixed(expanded, places)


def local_time(moment: datetime.datetime, language: Language) -> str:
    """Beijing time in Chinese, UTC in English; both say so."""
    if language == "zh":
        return f"{moment.astimezone(_BEIJING):%Y-%m-%d %H:%M:%S} (UTC+8)"
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def signed(value: float, places: int) -> str:
    """A number with its sign; zero without."""
    text = f"{value:+.{places}f}"
    return text.replace("-", "−") if float(text) else f"{0:.{places}f}"


def fixed(value: float, places: int) -> str:
    """A number with that many decimals; a zero has no sign."""
    if not math.isfinite(value):
        return degrees(value)
    text = f"{value:.{places}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def degrees(value: float) -> str:
    """Degrees of freedom, as far as they matter."""
    if math.isnan(value):
        return "–"
    return f"{value:.0f}" if value < 1000 else "∞" if math.isinf(value) else "> 1000"
