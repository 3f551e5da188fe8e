"""Settings, configuration, records, engines, reports."""
