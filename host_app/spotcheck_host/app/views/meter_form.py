"""The meter's data, as a person enters them."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtWidgets import (
    QFormLayout,
    QGroupBox,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QWidget,
)

from spotcheck.meter import AccuracyClass, Connection
from spotcheck_host.app.app_text import text
from spotcheck_host.app.meter_entry import MeterEntry
from spotcheck_host.app.screen import Screen
from spotcheck_host.app.views.choice import Choice
from spotcheck_host.report_text import Language

R46_LETTERS = {"0.2S": "D", "0.5S": "C", "1": "B", "2": "A"}
"""What newer nameplates say instead (OIML R 46)."""


class MeterForm(QGroupBox):
    """Shows an entry and what is wrong with it, and tells what is typed."""

    def __init__(self, edited: Callable[[MeterEntry], None]) -> None:
        super().__init__()
        self._edited = edited
        self._entry = MeterEntry()
        self._filling = False
        self.serial = QLineEdit()
        self.accuracy_class = Choice()
        for accuracy_class in AccuracyClass:
            name = accuracy_class.value
            self.accuracy_class.addItem(f"{name} ({R46_LETTERS[name]})", name)
        self.constant = QLineEdit()
        self.currents = QLineEdit()
        self.voltage = QLineEdit()
        self.connection = Choice()
        self.rule = Choice()
        for connection in Connection:
            self.connection.addItem("", connection)
        self._names: dict[str, QLabel] = {}
        self._faults: dict[str, QLabel] = {}
        layout = QFormLayout(self)
        layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.setVerticalSpacing(2)
        for field, widget in self._widgets().items():
            self._add_row(layout, field, widget)
        for line in (self.serial, self.constant, self.currents, self.voltage):
            line.textEdited.connect(self._tell)
        for box in (self.accuracy_class, self.connection, self.rule):
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.activated.connect(self._tell)
        self.rule_title = QLabel()
        self.rule_title.setWordWrap(True)
        layout.addRow(self.rule_title)

    def _widgets(self) -> dict[str, QWidget]:
        return {
            "serial": self.serial,
            "class": self.accuracy_class,
            "constant": self.constant,
            "currents": self.currents,
            "voltage": self.voltage,
            "connection": self.connection,
            "rule": self.rule,
        }

    def _add_row(self, layout: QFormLayout, field: str, widget: QWidget) -> None:
        name, fault = QLabel(), QLabel()
        name.setBuddy(widget)
        fault.setObjectName("fault")
        fault.setWordWrap(True)
        fault.hide()
        self._names[field], self._faults[field] = name, fault
        layout.addRow(name, widget)
        layout.addRow(fault)

    def show_screen(self, screen: Screen) -> None:
        """Show the entry; what a person is typing is not touched."""
        self._filling = True
        self._translate(screen.language)
        entry = self._entry = screen.entry
        self._fill_rules(screen.rules)
        for line, value in (
            (self.serial, entry.serial),
            (self.constant, entry.constant),
            (self.currents, entry.currents),
            (self.voltage, entry.voltage),
        ):
            if line.text() != value:
                line.setText(value)
        self.accuracy_class.setCurrentIndex(self.accuracy_class.findData(entry.accuracy_class))
        self.connection.setCurrentIndex(self.connection.findData(entry.connection))
        self.rule.setCurrentIndex(self.rule.findData(entry.rule_id))
        for field, widget in self._widgets().items():
            widget.setEnabled(screen.can_edit)
            fault = screen.faults.get(field, "")
            self._faults[field].setText(fault)
            self._faults[field].setVisible(bool(fault))
            if widget.property("invalid") != bool(fault):
                widget.setProperty("invalid", bool(fault))
                widget.style().polish(widget)
        self._filling = False

    def _translate(self, language: Language) -> None:
        self.setTitle(text("meter", language))
        for field, label in self._names.items():
            label.setText(text(field, language))
        for index in range(self.connection.count()):
            connection = self.connection.itemData(index)
            self.connection.setItemText(index, text(connection.value, language))

    def _fill_rules(self, rules: tuple[tuple[str, str], ...]) -> None:
        while self.rule.count() < len(rules):
            self.rule.addItem("", rules[self.rule.count()][0])
        for index, (rule_id, title) in enumerate(rules):
            self.rule.setItemText(index, rule_id)
            if rule_id == self._entry.rule_id:
                self.rule_title.setText(title)

    def _tell(self) -> None:
        if self._filling:
            return
        self._edited(
            replace(
                self._entry,
                serial=self.serial.text(),
                accuracy_class=self.accuracy_class.currentData(),
                constant=self.constant.text(),
                currents=self.currents.text(),
                voltage=self.voltage.text(),
                connection=self.connection.currentData(),
                rule_id=self.rule.currentData(),
            )
        )
