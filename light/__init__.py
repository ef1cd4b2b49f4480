"""The mayor's pages: plain HTML in one answer, for a phone on a slow line and for print."""
