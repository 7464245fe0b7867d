"""The host: device client, procedures, records, reports."""
