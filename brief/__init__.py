"""The morning brief: one page of yesterday, as prose, PDF and workbook, stored and sent."""
