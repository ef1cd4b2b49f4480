"""Layouts: values in, components and figures out."""
