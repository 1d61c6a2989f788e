"""Surface-code circuits in Stim's language: geometry, rounds, detectors, noise, checks."""
