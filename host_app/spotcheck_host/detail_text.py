"""Findings in Chinese: what an English sentence of the software says, number by number.

The record keeps the English sentence (docs/formats/outcome.md); a report in Chinese says the same,
and so does the app of what device, link and store report. What is not known here, and what an
operating system says, is printed as it stands.
"""

import re

_NUMBER = r"[-+−]?[0-9.e+]+"
_FINDINGS = (
    (r"the current is {n} mA", "电流为 {} mA"),
    (r"the power is {n} W", "功率为 {} W"),
    (r"the power factor is {n}", "功率因数为 {}"),
    (r"the power factor is {n}; the rule wants {n} or more", "功率因数为 {}；规程要求不小于 {}"),
    (
        r"the power of phase {n} is {n} W: export, or a clamp reversed",
        "第 {} 相功率为 {} W：反向送电，或电流钳接反",
    ),
    (r"the power is {n} W: export, or a clamp reversed", "功率为 {} W：反向送电，或电流钳接反"),
    (r"U{n} is {n} V", "U{} 为 {} V"),
    (r"U{n} is {n} V, U{n} is {n} V", "U{} 为 {} V，U{} 为 {} V"),
    (r"U{n} is {n} V, U{n} is {n} V, U{n} is {n} V", "U{} 为 {} V，U{} 为 {} V，U{} 为 {} V"),
    (
        r"no mains between {n} and {n} Hz in a voltage of {n} V",
        "在 {} Hz 至 {} Hz 之间没有市电频率（电压 {} V）",
    ),
    (
        r"U{n} is {n} V, {n} % off {n} V; the rule allows ±{n} %",
        "U{} 为 {} V，偏离 {} %（参比电压 {} V）；规程允许 ±{} %",
    ),
    (r"the distortion of U{n} is {n} %; the rule allows {n} %", "U{} 畸变率为 {} %；规程允许 {} %"),
    (r"the frequency is {n} Hz", "频率为 {} Hz"),
    (
        r"pulses: {n}, none for {n} s; with {n} W one is expected every {n} s",
        "脉冲数 {}，已有 {} s 没有脉冲；功率 {} W 时应每 {} s 一个",
    ),
    (r"pulses: {n}; at least {n} are needed", "脉冲数 {}；至少需要 {} 个"),
    (
        r"pulses: {n}; while the kind of the meter's pulse output is not known, "
        r"at least {n} are needed",
        "脉冲数 {}；电能表脉冲输出类型未知时至少需要 {} 个",
    ),
    (r"pulses: {n} in the {n} s allowed", "脉冲数 {}（允许时间 {} s）"),
    (
        r"by PPS the sample clock is {n} ppm off, by calibration {n} ppm; "
        r"standard uncertainty of the difference {n} ppm",
        "按 PPS 采样时钟偏差为 {} ppm，按校准为 {} ppm；差值的标准不确定度为 {} ppm",
    ),
    (r"the converter clips at sample {n}", "转换器在第 {} 个采样点削波"),
    (
        r"the pulses claim {n} times the energy measured; "
        r"with this load the constant would be {n} imp/kWh",
        "脉冲所示电能是实测电能的 {} 倍；按此负荷，常数应为 {} imp/kWh",
    ),
    (
        r"the energy between pulses {n} and {n} is {n} times the median: "
        r"a pulse was missed or came double",
        "第 {} 与第 {} 个脉冲之间的电能是中位数的 {} 倍：漏计或重复了一个脉冲",
    ),
    (r"the serial line of the pulse front end went away", "脉冲前端的串行线路已断开"),
    (r"the pulse front end says nothing any more", "脉冲前端不再应答"),
    (r"the pulse front end has restarted", "脉冲前端已重新启动"),
    (r"pulses lost on the line of the front end: {n}", "前端线路上丢失的脉冲数：{}"),
    (
        r"input {n}: pulses lost on the line of the front end: {n}",
        "输入 {}：前端线路上丢失的脉冲数：{}",
    ),
    (
        r"the pulse front end speaks message table {n}, the board {n}: "
        r"update the front end's firmware",
        "脉冲前端使用的消息表版本为 {}，主板为 {}：请更新前端固件",
    ),
    (
        r"the pulse front end speaks message table {n}, the board {n}: "
        r"update the board's software",
        "脉冲前端使用的消息表版本为 {}，主板为 {}：请更新主板软件",
    ),
    (r"{n} pulses were counted but never arrived", "{} 个脉冲已计数但未到达"),
    (r"samples missing in the stream: {n}", "数据流中缺失的采样点数：{}"),
    (r"no samples come any more", "不再收到采样数据"),
    (r"the stream of samples has started anew", "采样数据流已重新开始"),
    (r"no space is left for the record; nothing more was stored", "记录已无存储空间；未再存入数据"),
    (r"no space is left for {t}", "{} 已无存储空间"),
    (r"another program wrote to {t}; open it again", "另有程序写入了 {}；请重新打开"),
    (r"the sample source closed the connection", "采样数据源关闭了连接"),
    (r"the sample source is gone: {t}", "采样数据源已断开：{}"),
    (r"the sample stream is damaged: {t}", "采样数据流已损坏：{}"),
    (r"there are no samples yet, or they cannot be used", "尚无采样数据，或数据不能使用"),
    (
        r"the front end has counted frame {n} before it was due by the frames that were read: "
        r"some were lost without a trace in their times",
        "前端计到第 {} 帧的时刻早于已读各帧所示：有帧丢失，而其时刻未显出痕迹",
    ),
    (
        r"the front end has counted frame {n} {n} s after it was due: front end and converter do "
        r"not count the same frames",
        "前端计到第 {} 帧时晚了 {} s：前端与转换器所计的不是同样的帧",
    ),
    (
        r"the last {n} frames came at no instant at which one was due: the converter does not run "
        r"at the rate that it was set to",
        "最近 {} 帧都不在应到的时刻：转换器的采样率与设定不符",
    ),
    (
        r"frames came before they were due: their times contradict their count",
        "有帧早于应到的时刻：其时刻与计数矛盾",
    ),
    (
        r"about {n} frames were lost in a row, more than their times can count",
        "约 {} 帧连续丢失，超出由时刻能计数的范围",
    ),
    (r"the converter has begun anew by itself: status {t}", "转换器自行重新开始：状态 {}"),
    (
        r"what answers on the SPI bus has the identity {w}; an ADS131M08 has {w}: check wiring and "
        r"bus",
        "SPI 总线上应答者的标识为 {}；ADS131M08 应为 {}：请检查接线和总线",
    ),
    (
        r"the converter's register {w} holds {w} where {w} was written: check the SPI bus",
        "转换器寄存器 {} 的内容为 {}，写入的是 {}：请检查 SPI 总线",
    ),
    (
        r"the converter answered {w} to {w}, and should have answered {w}: check the SPI bus",
        "转换器以 {} 应答 {}，应为 {}：请检查 SPI 总线",
    ),
    (r"{w}: {t}; is the bus enabled\?", "{}：{}；总线是否已启用？"),
    (r"{w} line {n}: {t}; is it in use\?", "{} 第 {} 线：{}；是否已被占用？"),
    (r"no IIO devices at {w}: {t}", "在 {} 没有 IIO 设备：{}"),
    (r"{t} has no device {w}; it has {t}", "{} 上没有设备 {}；有 {}"),
    (
        r"IIO device {w} has no time stamp in its scan, so a lost sample would not be seen; use a "
        r"driver that has one",
        "IIO 设备 {} 的扫描中没有时间戳，丢失的采样无法发现；请使用有时间戳的驱动",
    ),
    (r"IIO device {w} does not say its {w}", "IIO 设备 {} 未给出 {}"),
    (
        r"IIO device {w} runs at {w} S/s; set it to a whole number",
        "IIO 设备 {} 的采样率为 {} S/s；请设为整数",
    ),
    (
        r"IIO channel {w}: {n} bits, shifted by {n}, in {n} cannot be read",
        "IIO 通道 {}：{} 位、移 {} 位、存于 {} 位，不能读取",
    ),
    (
        r"IIO channel {w} has {n} bits, signed: {w}; codes are signed and have up to 24 bits",
        "IIO 通道 {} 有 {} 位，带符号：{}；码值应带符号且不超过 24 位",
    ),
    (r"the IIO device gives no samples: {t}", "IIO 设备没有给出采样：{}"),
    (r"the process that reads the converter has ended", "读取转换器的进程已结束"),
    (r"the recording has come to its end", "录波已到末尾"),
    (
        r"samples missing from {n} on: {n} \(damaged on the bus or not fresh: {n}\)",
        "自采样点 {} 起缺失 {} 个（总线上损坏或不是新值：{}）",
    ),
    (
        r"samples missing from {n} on: {n} "
        r"\(not read in time: {n}; of uncertain number beside them: {n}\)",
        "自采样点 {} 起缺失 {} 个（未及时读取：{}；其旁序号不定者：{}）",
    ),
    (
        r"samples missing from {n} on: {n} "
        r"\(no room for them: {n}; of uncertain number beside them: {n}\)",
        "自采样点 {} 起缺失 {} 个（队列已满：{}；其旁序号不定者：{}）",
    ),
    (r"samples missing from {n} on: {n} \({t}\)", "自采样点 {} 起缺失 {} 个（{}）"),
    (r"block at sample {n}: {t}", "采样点 {} 处的数据块：{}"),
    (
        r"{t} has no correction of voltage {n} in range {w}",
        "{} 中没有第 {} 相电压在量程 {} 的修正数据",
    ),
    (
        r"{t} has no correction of current {n} in range {w}",
        "{} 中没有第 {} 相电流在量程 {} 的修正数据",
    ),
    (r"the device closed the connection", "装置关闭了连接"),
    (r"no device at {w}: {t}", "在 {} 找不到装置：{}"),
    (
        r"the device does not answer, or has no samples; is its front end connected\?",
        "装置没有应答，或没有采样数据；请检查前端是否已连接",
    ),
    (r"the device has not said who it is", "装置尚未表明身份"),
    (r"the device has said nothing for {n} s", "装置已有 {} s 没有消息"),
    (r"the device is gone: {t}", "与装置的连接已断开：{}"),
    (r"the device speaks protocol {n}, not {n}", "装置使用的协议版本为 {}，而不是 {}"),
    (
        r"{t} speaks message tables up to {n} only, {t} from {n} on; update {t}",
        "{} 使用的消息表版本最高为 {}，而 {} 最低为 {}；请更新 {}",
    ),
    (
        r"the device was paired as {w} and now calls itself {w}; pair it again",
        "配对时装置编号为 {}，现在自称 {}；请重新配对",
    ),
    (
        r"the result {w} is not signed by {w} \({w}\), the device that was paired; "
        r"it is not stored",
        "结果 {} 不是由已配对的装置 {}（{}）签名；未予存储",
    ),
    (r"paired over the cable with {w} \({w}\)", "已通过电缆与装置 {}（{}）配对"),
    (r"paired with {t} by code", "已凭配对码与 {} 配对"),
    (r"paired with {t} by cable", "已通过电缆与 {} 配对"),
    (r"no device is paired with this computer yet; {t}", "这台计算机尚未与任何装置配对：{}"),
    (r"the device does not answer", "装置没有应答"),
    (r"the pairing with this device was removed just now", "与该装置的配对刚刚被解除"),
    (
        r"this is not a device that was paired; pair again if it was replaced: {t}",
        "这不是已配对的装置；若装置已更换，请重新配对：{}",
    ),
    (
        r"the device does not know this computer, or no longer; pair again: {t}",
        "装置不认识（或不再认识）这台计算机；请重新配对：{}",
    ),
    (
        r"{t}; somebody or something changes what the device sends",
        "装置发送的数据在途中被改动（{}）",
    ),
    (
        r"the device speaks protocol {n}, the host {n}",
        "装置使用的协议版本为 {}，主机为 {}",
    ),
    (
        r"the measurement {t} was cut off when the device stopped",
        "测量 {} 在装置停止时中断",
    ),
    (r"{t} was cut off earlier; what was stored is kept", "{} 此前中断；已存储的内容保留"),
    (r"{w} is not recorded: {t}", "{} 未录波：{}"),
    (r"still measuring {t}; stop it first", "仍在测量 {}；请先停止"),
    (
        r"the meter has {n} phases, the instrument is connected to {n}",
        "电能表为 {} 相，而装置接入 {} 相",
    ),
    (
        r"rate and phases of a stream cannot change while it runs",
        "数据流运行期间采样率和相数不能改变",
    ),
    (
        r"the front end's marker of sample {n} is {n} samples off",
        "前端的采样点 {} 标记偏差 {} 个采样",
    ),
    (r"there is no pulse input {n}; they are {n} to {n}", "没有脉冲输入 {}；只有 {} 至 {}"),
    (
        r"the clamp {w} belongs to correction set {w}, the instrument uses {w}",
        "电流钳 {} 属于修正数据 {}，而装置使用 {}",
    ),
    (
        r"the identity of the clamps cannot be read: both copies are damaged",
        "无法读取电流钳身份信息：两份副本均已损坏",
    ),
    (r"input {n}: {t}", "输入 {}：{}"),
    (
        r"optical head {n}: signal quality {n} %; shade it and align it again",
        "光电头 {}：信号质量 {} %；请遮光并重新对准",
    ),
    (r"optical head {n}: signal quality {n} % again", "光电头 {}：信号质量恢复至 {} %"),
    (r"{t} goes on in {w} and {w}", "{} 在量程 {} 和 {} 继续测量"),
    (r"pulses of {t} count no active energy", "{} 的脉冲计量的不是有功电能"),
    (r"the window was closed", "窗口已关闭"),
    (
        r"the verdict is in the record, but no report: {t}",
        "判定结果已存入记录，但没有生成报告：{}",
    ),
    (r"stopped by the operator", "由操作人员停止"),
    (r"the current is {n} A; {w} has limits from {n} A", "电流为 {} A；{} 的限值自 {} A 起"),
    (r"{w} has no limit for class {w} at {t}", "{} 对准确度等级 {} 在 {} 处没有规定限值"),
    (r"{w} has no limit for class {w}", "{} 对准确度等级 {} 没有规定限值"),
    (
        r"{w} has {n} pulses in {n} s; {w} wants {n} pulses and {n} s",
        "{} 有 {} 个脉冲、{} s；{} 要求 {} 个脉冲和 {} s",
    ),
    (r"{n} readings differ by more than the rule allows", "{} 次测量之差超出规程允许"),
    (
        r"the load moved from one limit of the rule to another between the readings",
        "两次测量之间负荷从规程的一个限值区间变到了另一个",
    ),
    (
        r"the currents differ by {n} % from their mean; "
        r"the rule's limits here hold for a balanced load \(±{n} %\)",
        "各相电流与平均值相差 {} %；规程此处的限值只适用于平衡负荷（±{} %）",
    ),
    (
        r"U = {n} % is too large against the MPE of ±{n} %",
        "U = {} %，相对于最大允许误差 ±{} % 过大",
    ),
    (r"pulses of {t} count reactive energy", "{} 的脉冲计量的是无功电能"),
    (r"pulses of {t} count volume", "{} 的脉冲计量的是体积"),
)
_CHINESE = [
    (
        re.compile(
            pattern.replace("{n}", f"({_NUMBER})").replace("{w}", r"(\S+)").replace("{t}", "(.+)")
        ),
        text,
    )
    for pattern, text in _FINDINGS
]


def finding_in_chinese(detail: str) -> str:
    """A sentence of the software in Chinese; as it stands where it is not known."""
    for pattern, text in _CHINESE:
        if match := pattern.fullmatch(detail):
            numbers = (
                found.replace("-", "−") if _is_number(found) else found for found in match.groups()
            )
            return text.format(*numbers)
    return detail


def _is_number(text: str) -> bool:
    return re.fullmatch(_NUMBER, text) is not None
