"""Models for serving: functions of a model, traced into an artifact that needs no library."""

from multikeras.export.archive import ExportArchive as ExportArchive

__all__ = ["ExportArchive"]
