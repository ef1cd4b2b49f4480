"""From a department's rows to records, by its source file's own tables: no code a department.

Protocols that carry rows of any shape (JSON over HTTP, SQL, CSV, messages) differ in how a row is
got, not in what is done with it: they extend `RowOptions` and call `map_rows`.
"""

from lawang.mapping.expressions import Expression, check_expression, search
from lawang.mapping.fields import FACTORS, NEEDED, Fields, MeasureFields, Personal, RowOptions
from lawang.mapping.formats import Formats, TimeForm, check_time_form
from lawang.mapping.rows import map_rows
from lawang.mapping.shape import describe_shape

__all__ = [
    "FACTORS",
    "NEEDED",
    "Expression",
    "Fields",
    "Formats",
    "MeasureFields",
    "Personal",
    "RowOptions",
    "TimeForm",
    "check_expression",
    "check_time_form",
    "describe_shape",
    "map_rows",
    "search",
]
