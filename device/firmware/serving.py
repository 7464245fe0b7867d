"""What every port's main does once it has its HAL: choose a slot, boot, and serve for ever."""

from image_loader import mount_chosen_slot


def serve(hal, boot_id, marker_interval):
    """Serve until an exception ends it; on a board it is then time for a reset.

    An image on trial that cannot be imported ends here too, and the reset starts the one before.

    Args:
        hal: what hal_contract.py describes.
        boot_id: number that differs between boots.
        marker_interval: samples between two ADC frame markers.

    Raises:
        UnknownRecord: the FIFO cannot be trusted any more.
        Restarting: the board wants a restart, and this HAL cannot reset its processor.
    """
    if hal.flash_bytes():
        mount_chosen_slot(hal)
    # Imported only now: the slot's files come before the built-in ones.
    from pulse_front_end import PulseFrontEnd  # noqa: PLC0415

    front_end = PulseFrontEnd(hal, boot_id, marker_interval)
    front_end.boot()
    while True:
        front_end.turn()
