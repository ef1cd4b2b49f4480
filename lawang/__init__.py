"""The kernel of Lawang Jabo: what a city command centre knows, without any page that shows it."""

__version__ = "0.1.0"
