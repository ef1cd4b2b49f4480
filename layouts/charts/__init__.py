"""Charts made for decisions: a value goes in, a plotly figure comes out.

Every figure takes its looks from the template `lawang` (`layouts/theme.py`), its numbers and days
from `layouts/formats.py`. Bars begin at nought, one figure has one value axis, and what a colour
says a symbol or a word says as well.
"""
