r"""Every error that Spotcheck raises by name.

    SpotcheckError
    ├── InvalidInputError (ValueError)      what a person or a file gave cannot be used
    │   ├── MeterDataError                  nameplate data of the meter under test
    │   ├── RuleError                       a rule profile
    │   ├── CorrectionSetError              a correction set
    │   ├── EvidenceError                   samples, slots or stamps of a measurement
    │   ├── RecordingError                  a recording of waveforms
    │   │   └── RecordingChannelError       which channel is which is not known or not possible
    │   ├── CanonicalFormError              something that canonical JSON cannot hold
    │   └── ConfigurationError              a configuration file
    ├── LinkError (ConnectionError)         a peer went away or spoke another language
    │   ├── DeviceLostError                 the device no longer answers
    │   │   ├── NotPairedError              the peer is not, or no longer, the one that was paired
    │   │   └── LinkTamperedError           what arrived is not what the peer sent
    │   ├── ProtocolVersionError            the peer speaks another version
    │   ├── PairingError                    two ends could not be paired
    │   ├── CommandRefusedError             the pulse front end refused a command
    │   └── SampleSourceError               the converter, or what counts its frames, went wrong
    ├── RecordError (OSError)               the record cannot be kept
    │   └── RecordStoreFullError            no space is left for the record
    ├── KeyRefusedError (PermissionError)   a key that may not sign here
    └── VerificationError (ValueError)      a bundle is not what its signer signed
        └── ForgedResultError               a result is not signed by the device that was paired

A metrological "cannot judge" is no error: it is a result with a reason
(`spotcheck.reading.CannotJudge`).
"""


class SpotcheckError(Exception):
    """Root of all named errors."""


class InvalidInputError(SpotcheckError, ValueError):
    """What a person or a file gave cannot be used; says what and how to mend it."""


class MeterDataError(InvalidInputError):
    """Nameplate data of the meter under test is missing or contradicts itself."""


class RuleError(InvalidInputError):
    """A rule profile cannot be read, or does not have what was asked of it."""


class CorrectionSetError(InvalidInputError):
    """A correction set cannot be read or does not fit the instrument."""


class EvidenceError(InvalidInputError):
    """Samples, slots or stamps of a measurement contradict each other."""


class RecordingError(InvalidInputError):
    """A recording of waveforms cannot be read or written; says where and how to mend it."""


class RecordingChannelError(RecordingError):
    """Which channel of a recording is which voltage or current is not known or not possible."""


class CanonicalFormError(InvalidInputError):
    """A value cannot be held by canonical JSON."""


class ConfigurationError(InvalidInputError):
    """A configuration file has a wrong or missing key."""


class LinkError(SpotcheckError, ConnectionError):
    """A peer went away or spoke another language."""


class DeviceLostError(LinkError):
    """The device no longer answers."""


class ProtocolVersionError(LinkError):
    """The peer speaks another version of the protocol."""


class CommandRefusedError(LinkError):
    """The pulse front end refused a command; says why and what to do."""

    def __init__(self, text: str, reason: int) -> None:
        super().__init__(text)
        self.reason = reason
        """The codec's REFUSED_ code."""


class SampleSourceError(LinkError):
    """A source of samples cannot be opened, or what it gives cannot be placed in time."""


class NotPairedError(DeviceLostError):
    """The peer is not, or no longer, the one that was paired; says what to do."""


class PairingError(LinkError):
    """Two ends could not be paired; says why and what to do."""


class LinkTamperedError(DeviceLostError):
    """What arrived is not what the peer sent; nothing of it was taken."""


class RecordError(SpotcheckError, OSError):
    """The record cannot be kept."""


class RecordStoreFullError(RecordError):
    """No space is left for the record; nothing was acknowledged that is not stored."""


class KeyRefusedError(SpotcheckError, PermissionError):
    """A key may not sign here, for example a demonstration key outside the demonstration."""


class VerificationError(SpotcheckError, ValueError):
    """A bundle is not what its signer signed."""


class ForgedResultError(VerificationError):
    """A result is not signed by the device that was paired; it is neither stored nor confirmed."""
