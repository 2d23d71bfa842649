"""Media files below the codec: opening them safely, their clock, the structure of their bytes."""
