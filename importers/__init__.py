"""Importers: outside formats in; captures, records, links and rejections out."""
