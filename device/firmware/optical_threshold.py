"""Threshold of an optical head that follows the ambient light (docs/formats/wire.md).

Samples of 1 ms are taken ten at a time, which is one period of light at twice the mains'
frequency, so flicker is seen whole in each block. Where the light stays below the threshold it
is ambient; what a pulse adds to it is learned from the pulses. The threshold lies in the middle
of the gap between the brightest ambient light and the dimmest light of the LED.
"""

BLOCK_SAMPLES = 10
LONGEST_PULSE_BLOCKS = 200  # brighter for 2 s is no pulse but other light
CROSSING_BLOCKS = 4  # light that crosses the threshold in each of so many blocks flickers
FORGET_BLOCKS = 500  # after each 5 s without a pulse the LED's light learned counts half
LEAST_GAP = 40
HIGHEST_LEVEL = 4095
NO_LEVEL = 4096
AUTOMATIC = 0xFFFF


class OpticalThreshold:
    """Pure logic of one head: samples in, threshold and quality out.

    Attributes:
        threshold: level above which the input is on; None before the first block.
        has_samples: whether any sample came.
    """

    def __init__(self):
        self.threshold = None
        self.has_samples = False
        self._is_automatic = True
        self._in_block = 0
        self._block_low = HIGHEST_LEVEL
        self._block_high = 0
        self._before_low = 0
        self._before_high = 0
        self._has_ambient = False
        self._ambient_low = 0
        self._ambient_high = 0
        self._led = 0
        self._quiet_blocks = 0
        self._crossing_blocks = 0
        self._pulse_blocks = 0
        self._pulse_low = NO_LEVEL
        self._pulse_high = 0

    def set_level(self, level):
        """Set the threshold by hand, or let it be AUTOMATIC (as at boot)."""
        self._is_automatic = level == AUTOMATIC
        if not self._is_automatic:
            self.threshold = level
        elif self._has_ambient:
            self._choose()

    def sample(self, level):
        """Take one sample; return the threshold where it may have changed, else None."""
        self.has_samples = True
        self._block_low = min(self._block_low, level)
        self._block_high = max(self._block_high, level)
        self._in_block += 1
        if self._in_block < BLOCK_SAMPLES:
            return None
        self._take_block(self._block_low, self._block_high)
        self._in_block = 0
        self._block_low = HIGHEST_LEVEL
        self._block_high = 0
        if self._is_automatic:
            self._choose()
        return self.threshold

    def signal(self):
        """Return (ambient, swing, threshold, quality in percent)."""
        if not self._has_ambient:
            return 0, 0, self.threshold or 0, 0
        ambient = (self._ambient_low + self._ambient_high) // 2
        if not self._led:
            return ambient, 0, self.threshold, 0
        swing = self._led + self._ripple()
        return ambient, swing, self.threshold, 100 * self._gap() // swing

    def _ripple(self):
        return self._ambient_high - self._ambient_low

    def _gap(self):
        # The LED's light adds to whatever the ambient light is now.
        return max(self._led - self._ripple(), 0)

    def _choose(self):
        margin = max(self._gap(), LEAST_GAP) // 2
        self.threshold = min(self._ambient_high + margin, HIGHEST_LEVEL)

    def _take_block(self, low, high):
        if not self._has_ambient:
            self._be_ambient(low, high)
        elif high < self.threshold:
            self._dark_block(low, high)
        else:
            self._bright_block(low, high)

    def _dark_block(self, low, high):
        if self._pulse_blocks:
            self._learn()
        self._crossing_blocks = 0
        # Two blocks together, because the samples of one may all miss the crest of the flicker.
        self._ambient_low = min(low, self._before_low)
        self._ambient_high = max(high, self._before_high)
        self._before_low, self._before_high = low, high
        self._quiet_blocks += 1
        if self._quiet_blocks == FORGET_BLOCKS:
            self._quiet_blocks = 0
            self._led //= 2

    def _bright_block(self, low, high):
        self._pulse_blocks += 1
        self._pulse_high = max(self._pulse_high, high)
        if low < self.threshold:
            self._crossing_blocks += 1
        else:
            self._crossing_blocks = 0
            self._pulse_low = min(self._pulse_low, low)
        flickers = self._crossing_blocks == CROSSING_BLOCKS
        if flickers or self._pulse_blocks == LONGEST_PULSE_BLOCKS:
            self._be_ambient(low, high)

    def _be_ambient(self, low, high):
        self._has_ambient = True
        self._ambient_low = self._before_low = low
        self._ambient_high = self._before_high = high
        self._crossing_blocks = 0
        self._begin_pulse()

    def _begin_pulse(self):
        self._pulse_blocks = 0
        self._pulse_low = NO_LEVEL
        self._pulse_high = 0

    def _learn(self):
        if self._pulse_low != NO_LEVEL:
            led = self._pulse_low - self._ambient_low
        else:
            # A pulse too short to fill a block shows its crest only.
            led = self._pulse_high - self._ambient_high
        led = max(led, 0)  # below a threshold set by hand anything may be
        # A weaker pulse counts at once, a stronger one by and by.
        self._led = led if led < self._led or not self._led else self._led + (led - self._led) // 4
        self._quiet_blocks = 0
        self._begin_pulse()
