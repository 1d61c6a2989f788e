"""Placement and routing on grids of tiles."""
