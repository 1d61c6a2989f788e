"""Resource estimates: the QDK's published model, and how estimates are shown."""
