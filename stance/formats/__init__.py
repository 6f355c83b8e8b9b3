"""Publishers' own files as excerpts: one reader per format of a single file (re3d: a folder)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from stance.excerpts import Excerpt, load_excerpts
from stance.formats.dse import DseRow, read_dse_file, read_dse_rows
from stance.formats.newsmtsc import NewsmtscRow, read_newsmtsc_file, read_newsmtsc_rows
from stance.formats.plv import PlvRow, read_plv_file, read_plv_rows
from stance.formats.re3d import read_re3d_files
from stance.formats.unscon import read_unscon_file

FORMATS: Mapping[str, Callable[[Path], list[Excerpt]]] = MappingProxyType(
    {
        "excerpts": load_excerpts,
        "plv": read_plv_file,
        "dse": read_dse_file,
        "newsmtsc": read_newsmtsc_file,
        "re3d": read_re3d_files,
        "unscon": read_unscon_file,
    }
)
"""Reader of a file by the name of its format."""

ROW_FORMATS: Mapping[str, Callable[[Path], Sequence[PlvRow | DseRow | NewsmtscRow]]] = MappingProxyType(
    {"plv": read_plv_rows, "dse": read_dse_rows, "newsmtsc": read_newsmtsc_rows}
)
"""Reader of rows with the classes that the publisher scores, for formats whose papers report figures."""
