"""Pictures of the representations as SVG, for notebooks, documents and `qwasmc draw`."""
